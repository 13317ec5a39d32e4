#!/usr/bin/env python3
"""interrupt_teacher.py FILE.xfm TEXT WORK: a run of --teacher that Ctrl-C ends and one that is killed, and what the same command makes
of both."""
import filecmp
import os
import signal
import subprocess
import sys
import time

artifact, text, work = sys.argv[1:]


def command(folder):
    return ["xfmr-run", artifact, "--device", "cpu", "--teacher", os.path.join(work, folder), "--text", text, "--window", "128",
            "--shard-windows", "1"]


subprocess.run(command("whole"), check=True, stdout=subprocess.DEVNULL)
shards = sorted(os.listdir(os.path.join(work, "whole")))
for number in (signal.SIGINT, signal.SIGKILL):
    folder = os.path.join(work, number.name)
    process = subprocess.Popen(command(number.name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (os.path.isdir(folder) and any(name in shards for name in os.listdir(folder))):
        time.sleep(0.001)
    process.send_signal(number)
    said = process.communicate()[1]
    found = sum(name in shards for name in os.listdir(folder))
    assert 0 < found < len(shards), (number, found, "ended too late or too early")
    if number == signal.SIGINT:
        assert process.returncode == 130, process.returncode
        assert said == "xfmr-run: interrupted after %d of %d shards; the same command goes on\n" % (found, len(shards)), said
    again = subprocess.run(command(number.name), check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "%d shards, %d written now" % (len(shards), len(shards) - found) in again, again
    for name in shards:
        assert filecmp.cmp(os.path.join(folder, name), os.path.join(work, "whole", name), shallow=False), name
    print(number.name + ": goes on to the same bytes")
