#!/usr/bin/env python3
"""Counts at how many positions of the greedy texts of a checkpoint's expected/ folder a compiled model chooses the same id.

    check_choices.py MODEL.xfm --expected DIR [--least SHARE] [--prompts N] [-- OPTIONS of xfmr-run]

Each position sees the ids that are expected before it, so one close call does not decide what follows. Prints the counts, and of a
position that differs by how much the expected id is behind.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import safetensors


def differences(model, prompt, options, folder):
    """[(position, how far behind)] of a prompt's greedy ids"""
    ids, greedy = prompt["ids"], prompt["greedy_ids"]
    path = os.path.join(folder, "logits.safetensors")
    subprocess.run(["xfmr-run", model, "--prompt-ids", ",".join(map(str, ids + greedy[:-1])), "-n", "0", "--logits", path] + options,
                   check=True, stdout=subprocess.DEVNULL)
    (rows, width), values = safetensors.read(path)["logits"]
    found = []
    for position, wanted in enumerate(greedy):
        start = (rows - len(greedy) + position) * width
        row = values[start:start + width]
        best = max(row)
        if row[wanted] != best:
            found.append((position, best - row[wanted]))
    return found


def main():
    command, options = sys.argv[1:], []
    if "--" in command:
        split = command.index("--")
        command, options = command[:split], command[split + 1:]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--expected", required=True)
    parser.add_argument("--least", type=float, default=1)
    parser.add_argument("--prompts", type=int)
    arguments = parser.parse_args(command)
    with open(os.path.join(arguments.expected, "prompts.json"), encoding="utf-8") as file:
        prompts = json.load(file)["prompts"][:arguments.prompts]
    positions = equal = 0
    with tempfile.TemporaryDirectory() as folder:
        for prompt in prompts:
            found = differences(arguments.model, prompt, options, folder)
            positions += len(prompt["greedy_ids"])
            equal += len(prompt["greedy_ids"]) - len(found)
            for position, behind in found:
                print(f"{prompt['name']}: id {position} differs, {behind:.3g} behind")
    print(f"{equal} of {positions} positions choose the expected id")
    return equal < arguments.least * positions


if __name__ == "__main__":
    sys.exit(main())
