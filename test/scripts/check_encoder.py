#!/usr/bin/env python3
"""Hidden states and vectors of an encoder, for every prompt of a checkpoint's expected/ folder.

    check_encoder.py TOOL MODEL [--expected DIR] [--tolerance 2e-4] [--pooling KIND] [--normalize] [--dense FOLDER].. [--skip-segments |
                     --pairs VOCABULARY] [-- TOOL OPTIONS]

TOOL is xfmr-interpret or xfmr-run; MODEL is what it takes. Hidden states of every position are those of hidden.safetensors within
the tolerance. xfmr-run also gives the vectors of all prompts, each alone and all at once, which must be the pooling of the expected
states, behind it the Dense modules of the given folders. --skip-segments leaves out prompts with a second segment; --pairs says how
much higher ids of it are. Prints "ok NAME ..." at the end.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import safetensors


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"status {done.returncode} of {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def dense(folder, x):
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        activation = json.load(file)["activation_function"].rsplit(".")[-1]
    tensors = safetensors.read(os.path.join(folder, "model.safetensors"))
    (rows, width), weight = tensors["linear.weight"]
    bias = tensors["linear.bias"][1] if "linear.bias" in tensors else [0.0] * rows
    y = [sum(weight[row * width + i] * x[i] for i in range(width)) + bias[row] for row in range(rows)]
    return [{"Identity": lambda v: v, "Tanh": math.tanh}[activation](value) for value in y]


def pooled(shape, values, kind, normalize, modules=()):
    count, width = shape
    columns = [[values[row * width + i] for row in range(count)] for i in range(width)]
    vector = [{"mean": sum(c) / count, "cls": c[0], "max": max(c), "mean_sqrt_len": sum(c) / math.sqrt(count), "last": c[-1]}[kind]
              for c in columns]
    for module in modules:
        vector = dense(module, vector)
    length = math.sqrt(sum(x * x for x in vector)) if normalize else 1.0
    return [x / length for x in vector]


def main():
    command, options = sys.argv[1:], []
    if "--" in command:
        split = command.index("--")
        command, options = command[:split], command[split + 1 :]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool")
    parser.add_argument("model")
    parser.add_argument("--expected")
    parser.add_argument("--tolerance", type=float, default=2e-4)
    parser.add_argument("--pooling", default="mean", help="what the vectors must be, given to the tool unless --by-model")
    parser.add_argument("--normalize", action="store_true")
    parser.add_argument("--by-model", action="store_true", help="the artifact says how to pool")
    parser.add_argument("--dense", action="append", default=[])
    parser.add_argument("--skip-segments", action="store_true")
    parser.add_argument("--pairs", type=int, default=0)
    arguments = parser.parse_args(command)
    folder = arguments.expected or os.path.join(arguments.model, "expected")
    with open(os.path.join(folder, "prompts.json"), encoding="utf-8") as file:
        prompts = json.load(file)["prompts"]
    if arguments.skip_segments:
        prompts = [prompt for prompt in prompts if not any(prompt.get("token_type_ids", []))]
    if not prompts:
        sys.exit(f"{folder}/prompts.json holds no prompts")
    wanted = safetensors.read(os.path.join(folder, "hidden.safetensors"))
    runs = os.path.basename(arguments.tool) == "xfmr-run"
    said = [] if arguments.by_model else ["--pooling", arguments.pooling] + ["--normalize"] * arguments.normalize
    largest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "out.safetensors")
        for prompt in prompts:
            types = prompt.get("token_type_ids") or [0] * len(prompt["ids"])
            ids = ",".join(str(i + arguments.pairs * kind) for i, kind in zip(prompt["ids"], types))
            line = run([arguments.tool, arguments.model, "--prompt-ids", ids] +
                       (["--embed", "--hidden", path] + said if runs else ["--logits", path]) + options)
            shape, values = safetensors.read(path)["hidden"]
            expected_shape, expected = wanted[prompt["name"]]
            if shape != expected_shape:
                sys.exit(f"{prompt['name']}: hidden states have shape {shape}, expected {expected_shape}")
            difference = safetensors.largest_difference(values, expected)
            if runs:
                vector = pooled(shape, expected, arguments.pooling, arguments.normalize, arguments.dense)
                found = [float(word) for word in line.split()]
                if len(found) != len(vector):
                    sys.exit(f"{prompt['name']}: a vector of {len(found)} numbers, expected {len(vector)}")
                difference = max(difference, safetensors.largest_difference(found, vector))
            if not difference <= arguments.tolerance:
                sys.exit(f"{prompt['name']}: differs by {difference:.6g}, more than {arguments.tolerance:g}")
            largest = max(largest, difference)
    name = os.path.basename(os.path.normpath(arguments.model))
    print(f"ok {name}: {len(prompts)} prompts, largest difference {largest:.3g}, tolerance {arguments.tolerance:g}")


if __name__ == "__main__":
    main()
