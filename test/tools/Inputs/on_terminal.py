"""Runs a command with a terminal as its standard error and prints what it wrote there, a line for each overwritten one."""
import os
import pty
import subprocess
import sys

leader, follower = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stderr=follower)
os.close(follower)
written = b""
while True:
    try:
        part = os.read(leader, 65536)
    except OSError:  # the other end is closed
        break
    if not part:
        break
    written += part
print(written.decode().replace("\r\n", "\n").replace("\r", "\n").replace("\x1b[K", ""))
sys.exit(process.wait())
