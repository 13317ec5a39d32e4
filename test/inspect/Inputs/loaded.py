#!/usr/bin/env python3
"""loaded.py FOLDER: for every checkpoint in FOLDER that xfmr-inspect takes, parameters by kind from config.json alone and
with the tensors at hand are equal, and as many as the tensors hold. A model.safetensors that is split counts as well. Where
a warning says that a tensor has another size than the configuration, only the latter is compared."""
import glob
import json
import os
import subprocess
import sys


def inspect(path):
    run = subprocess.run(["xfmr-inspect", path, "--json"], capture_output=True, text=True)
    return (json.loads(run.stdout) if run.returncode == 0 else None), "the tensor decides" in run.stderr


checked = 0
for config in sorted(glob.glob(os.path.join(sys.argv[1], "*", "config.json"))):
    folder = os.path.dirname(config)
    name = os.path.basename(folder)
    if not glob.glob(os.path.join(folder, "*.safetensors")):
        continue
    (alone, _), (loaded, differs) = inspect(config), inspect(folder)
    if loaded is None:
        print(f"{name}: not taken")
        continue
    if alone is None or (alone["parameters"] != loaded["parameters"] and not differs):
        sys.exit(f"{name}: {alone and alone['parameters']} from the configuration, {loaded['parameters']} loaded")
    if loaded["stored_parameters"] != loaded["parameters"]["total"]:
        sys.exit(f"{name}: {loaded['parameters']['total']} counted, {loaded['stored_parameters']} stored")
    print(f"{name}: {loaded['parameters']['total']}")
    checked += 1
sys.exit("no checkpoint was checked") if not checked else print("ok")
