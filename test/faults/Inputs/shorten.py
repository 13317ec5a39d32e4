"""shorten.py SHIM FOLDER KIND FILE -- COMMAND...: stops the command before its first call of KIND on files in FOLDER, makes FILE 100
bytes long, lets it go on, and prints its status and what it says."""
import os
import signal
import subprocess
import sys

split = sys.argv.index("--")
shim, folder, kind, path = sys.argv[1:split]
process = subprocess.Popen(sys.argv[split + 1 :], stderr=subprocess.PIPE, text=True,
                           env={**os.environ, "LD_PRELOAD": shim, "XFMR_FAULT": kind, "XFMR_FAULT_N": "1",
                                "XFMR_FAULT_UNDER": os.path.realpath(folder), "XFMR_FAULT_SIGNAL": str(int(signal.SIGSTOP))})
_, status = os.waitpid(process.pid, os.WUNTRACED)
if not os.WIFSTOPPED(status):
    sys.exit(f"it ended with {status} before a {kind}: {process.stderr.read()}")
os.truncate(path, 100)
os.kill(process.pid, signal.SIGCONT)
said = process.communicate(timeout=60)[1]
print("status", process.returncode)
print(said, end="")
