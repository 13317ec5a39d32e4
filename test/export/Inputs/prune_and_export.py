#!/usr/bin/env python3
"""Prunes a model, exports it as a folder and compares: prune_and_export.py MODELS SCRATCH NAME PASSES KEY=JSON…

The folder must have the logits of the pruned model and the given values in its config.json.
"""
import json
import os
import shutil
import subprocess
import sys

models, scratch, name, passes = sys.argv[1:5]
model, pruned, folder = (os.path.join(scratch, file) for file in ("model.mlir", "pruned.mlir", "folder"))
shutil.rmtree(folder, ignore_errors=True)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")


run("xfmr-import", os.path.join(models, name), "-o", model)
run("xfmr-opt", model, f"--pass-pipeline=builtin.module({passes})", "-o", pruned)
run("xfmr-export", pruned, "--format=hf", "-o", folder)
with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
    config = json.load(file)
for key, expected in (text.split("=", 1) for text in sys.argv[5:]):
    if config.get(key) != json.loads(expected):
        sys.exit(f"{name}: {key} is {config.get(key)}, expected {expected}")
same = os.path.join(os.path.dirname(__file__), "same_logits.py")
sys.exit(subprocess.run([sys.executable, same, folder, pruned, "--ids", "1,7,5,14,9,10,3,2"]).returncode)
