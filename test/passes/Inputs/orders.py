#!/usr/bin/env python3
"""Runs the exact passes in random orders, a seed each: orders.py MODEL.mlir --work FOLDER --seeds N

Prints the order and the file of each result. Each pass comes once or twice."""
import argparse
import os
import random
import subprocess
import sys

PASSES = ["canonicalize", "cse", "xfmr-fuse-glu", "xfmr-fuse-qkv", "xfmr-fold-lora", "xfmr-fold-linears"]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("--work", required=True)
parser.add_argument("--seeds", type=int, required=True)
arguments = parser.parse_args()
texts = set()
for seed in range(arguments.seeds):
    draw = random.Random(seed)
    order = PASSES + draw.sample(PASSES, 3)
    draw.shuffle(order)
    path = os.path.join(arguments.work, f"{seed}.mlir")
    run = subprocess.run(["xfmr-opt", arguments.model, *("--" + name for name in order), "-o", path],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"seed {seed}, {' '.join(order)}: {run.stderr}")
    print(f"seed {seed}: {' '.join(order)}")
    texts.add(open(path, encoding="utf-8").read())
print(f"{len(texts)} different models of {arguments.seeds} orders")
