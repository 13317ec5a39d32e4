"""Sends SIGINT to xfmr-run while it waits for input, and while it prints: interrupt.py MODEL.xfm"""
import signal
import subprocess
import sys
import time

model = sys.argv[1]
waiting = subprocess.Popen(["xfmr-run", model, "-p", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
time.sleep(1)
waiting.send_signal(signal.SIGINT)
print("while nothing is printed: status", waiting.wait(20))
# Prompts without end; nobody reads until the pipe is full, so it is certainly printing when the signal comes.
prompts = [part for i in range(4000) for part in ("-p", "w2 w3")]
printing = subprocess.Popen(["xfmr-run", model, *prompts, "-n", "28", "--ignore-eos"], stdout=subprocess.PIPE)
head = printing.stdout.read(200)
printing.send_signal(signal.SIGINT)
text = (head + printing.stdout.read()).decode("utf-8")
status = printing.wait(60)
whole = text.endswith("\n") and text.count("==>") < 4000
print("while tokens come: status", str(status) + ",", "whole lines" if whole else repr(text[-80:]))
