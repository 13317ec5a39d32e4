"""Two turns of --chat against the same conversation spelled out: check_turns.py MODEL.xfm TURNS.txt FIRST-ANSWER.txt"""
import subprocess
import sys

model, turns, first = sys.argv[1:]
printed, answer = open(turns, encoding="utf-8").read(), open(first, encoding="utf-8").read()
assert printed.startswith(answer), (printed, answer)
conversation = f"user: Once upon a time\nassistant: {answer[:-1].strip()}\nuser: And then?\ntale: "
second = subprocess.run(["xfmr-run", model, "-p", "-", "-n", "8"], input=conversation, capture_output=True, text=True, check=True).stdout
assert printed == answer + second, (printed, second)
print("two answers, the second as after the whole conversation")
