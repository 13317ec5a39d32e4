"""Runs a command and fails unless it ends with this status: status.py STATUS COMMAND..."""
import subprocess, sys

status = subprocess.call(sys.argv[2:])
sys.exit(0 if status == int(sys.argv[1]) else "ended with status %d" % status)
