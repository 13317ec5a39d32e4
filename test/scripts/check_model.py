#!/usr/bin/env python3
"""Runs a tool on a model for every prompt of the checkpoint's expected/ folder.

    check_model.py TOOL MODEL [--expected DIR] [--tolerance 2e-4] [--prompts N] [--source] [-- TOOL OPTIONS]

TOOL is xfmr-interpret or xfmr-run; MODEL is what it takes. Greedy ids must be exactly those of
prompts.json and the logits of every prompt position within the tolerance of logits.safetensors. With --source prompts are
read by an encoder, and logits are those of its decoder fed its start token (0) and the greedy ids but the last.
Prints one line a prompt with the measured difference, then "ok NAME ...".
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import safetensors


def check_prompt(arguments, options, prompt, expected, folder):
    """(largest difference of the logits, error text or None)"""
    name, ids, greedy = prompt["name"], prompt["ids"], prompt["greedy_ids"]
    path = os.path.join(folder, "logits.safetensors")
    command = [arguments.tool, arguments.model, "--prompt-ids", ",".join(map(str, ids))]
    logits = ["--logits", path]
    if arguments.source:
        decoder = command + ["--decoder-ids", ",".join(map(str, [0] + greedy[:-1])), "-n", "1", "--ids"] + logits + options
        run = subprocess.run(decoder, capture_output=True, text=True)
        if run.returncode != 0:
            return 0.0, f"{name}: status {run.returncode} of {' '.join(decoder)}: {run.stderr.strip()}"
        logits = []
    command += ["-n", str(len(greedy)), "--ids", "--ignore-eos"] + logits + options
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        return 0.0, f"{name}: status {run.returncode} of {' '.join(command)}: {run.stderr.strip()}"
    found = [int(word) for word in run.stdout.split()]
    if found != greedy:
        equal = next((i for i, (a, b) in enumerate(zip(found, greedy)) if a != b),
                     min(len(found), len(greedy)))
        return 0.0, (f"{name}: greedy ids differ from number {equal} on: "
                     f"found {found[equal:equal + 5]}, expected {greedy[equal:equal + 5]}")
    shape, values = safetensors.read(path)["logits"]
    expected_shape, wanted = expected[name]
    if shape != expected_shape:
        return 0.0, f"{name}: logits have shape {shape}, expected {expected_shape}"
    difference = safetensors.largest_difference(values, wanted)
    print(f"{name}: {len(ids)} ids, {len(greedy)} greedy ids equal, logits differ by {difference:.3g}")
    if not difference <= arguments.tolerance:
        return difference, f"{name}: logits differ by {difference:.6g}, more than {arguments.tolerance:g}"
    return difference, None


def main():
    command, options = sys.argv[1:], []
    if "--" in command:
        split = command.index("--")
        command, options = command[:split], command[split + 1 :]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool")
    parser.add_argument("model")
    parser.add_argument("--expected", help="folder with prompts.json; default: MODEL/expected")
    parser.add_argument("--tolerance", type=float, default=2e-4)
    parser.add_argument("--source", action="store_true")
    parser.add_argument("--prompts", type=int, help="only the first N prompts")
    arguments = parser.parse_args(command)
    folder = arguments.expected or os.path.join(arguments.model, "expected")
    with open(os.path.join(folder, "prompts.json"), encoding="utf-8") as file:
        prompts = json.load(file)["prompts"][: arguments.prompts]
    expected = safetensors.read(os.path.join(folder, "logits.safetensors"))
    if not prompts:
        sys.exit(f"{folder}/prompts.json holds no prompts")
    largest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for prompt in prompts:
            difference, error = check_prompt(arguments, options, prompt, expected, scratch)
            if error:
                sys.exit(error)
            largest = max(largest, difference)
    name = os.path.basename(os.path.normpath(arguments.model))
    print(f"ok {name}: {len(prompts)} prompts, largest difference {largest:.3g}, "
          f"tolerance {arguments.tolerance:g}")


if __name__ == "__main__":
    main()
