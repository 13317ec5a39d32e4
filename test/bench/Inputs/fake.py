#!/usr/bin/env python3
"""Stands for xfmr-run, for llama-bench (named so, with -d) and for one without -d (named ik): prints rates that follow from its
arguments, and writes each call into $CALLS."""
import json
import os
import sys

name, args = os.path.basename(sys.argv[0]), sys.argv[1:]
if "-h" in args:
    print("  -p, --n-prompt <n>\n" + ("" if name == "ik" else "  -d, --n-depth <n>\n"))
    sys.exit(1)
with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
    file.write(name + " " + " ".join(os.path.basename(a) for a in args) + "\n")
number = sum(1 for line in open(os.environ["CALLS"], encoding="utf-8") if line.startswith(name + " "))  # of this program's calls


def value(option, default="0"):
    return args[args.index(option) + 1] if option in args else default


if name == "xfmr-run":
    if "broken" in args[0]:
        sys.exit("xfmr-run: error: no such thing")
    rates = {test: {"n": 1, "tokens_per_s": {"median": 1, "min": 1, "max": 100.0 * number * int(value("--threads"))}}
             for test in ("pp", "tg") if value("--" + test) != "0"}
    print(json.dumps({"device": "fake", **rates, "load_ms": 1}))
else:
    tests = [(int(value("-p")), 0), (0, int(value("-n")))]
    if "-gp" in args:
        tests = [tuple(int(n) for n in value("-gp").split(","))]
    print(json.dumps([{"n_prompt": p, "n_gen": n, "samples_ts": [1.0, 50.0 if n else 25.0]} for p, n in tests if p or n]))
