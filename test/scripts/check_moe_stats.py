#!/usr/bin/env python3
"""Compares the expert statistics of xfmr-run with the routing a checkpoint's expected/ folder states.

    check_moe_stats.py XFMR_RUN ARTIFACT EXPECTED_DIR [--shares TEXT.txt NAME]

For each prompt, run as it is: the counts of every layer must be exactly those of routing.safetensors, the mean
weights within 1e-4. With --shares also the share of choices over a whole text, by the perplexity protocol, against
expert_share of perplexity.json (within 0.002: one choice in 500 may fall to the other side of a near tie).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import safetensors


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"status {done.returncode} of {' '.join(command)}: {done.stderr.strip()}")


def check_prompt(arguments, prompt, routing, path):
    shape, ids = routing[prompt["name"] + ".ids"]
    _, weights = routing[prompt["name"] + ".weights"]
    run([arguments.tool, arguments.artifact, "--prompt-ids", ",".join(map(str, prompt["ids"])), "-n", "1", "--ids",
         "--ignore-eos", "--moe-stats", path])
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    if len(layers) != shape[0]:
        sys.exit(f"{prompt['name']}: {len(layers)} layers, expected {shape[0]}")
    worst, size = 0.0, shape[1] * shape[2]
    for number, layer in enumerate(layers):
        counts, sums = [0] * len(layer["counts"]), [0.0] * len(layer["counts"])
        for i in range(number * size, (number + 1) * size):
            counts[ids[i]] += 1
            sums[ids[i]] += weights[i]
        if layer["counts"] != counts:
            sys.exit(f"{prompt['name']} layer {number}: counts {layer['counts']}, expected {counts}")
        for expert, count in enumerate(counts):
            mean = sums[expert] / count if count else 0.0
            worst = max(worst, abs(layer["mean_weight"][expert] - mean))
    if worst > 1e-4:
        sys.exit(f"{prompt['name']}: mean weights differ by {worst:.3g}")
    return worst


def check_shares(arguments, path):
    text, name = arguments.shares
    with open(os.path.join(arguments.expected, "perplexity.json"), encoding="utf-8") as file:
        expected = json.load(file)["texts"][name]["expert_share"]
    run([arguments.tool, arguments.artifact, "--perplexity", text, "--json", "--moe-stats", path])
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    for number, (layer, shares) in enumerate(zip(layers, expected)):
        total = sum(layer["counts"])
        for expert, share in enumerate(shares):
            if abs(layer["counts"][expert] / total - share) > 0.002:
                sys.exit(f"{name} layer {number} expert {expert}: share {layer['counts'][expert] / total:.4f}, "
                         f"expected {share:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool")
    parser.add_argument("artifact")
    parser.add_argument("expected")
    parser.add_argument("--shares", nargs=2, metavar=("TEXT", "NAME"))
    arguments = parser.parse_args()
    routing = safetensors.read(os.path.join(arguments.expected, "routing.safetensors"))
    with open(os.path.join(arguments.expected, "prompts.json"), encoding="utf-8") as file:
        prompts = json.load(file)["prompts"]
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "stats.json")
        worst = max(check_prompt(arguments, prompt, routing, path) for prompt in prompts)
        if arguments.shares:
            check_shares(arguments, path)
    print(f"ok {len(prompts)} prompts, mean weights differ by {worst:.3g}")


if __name__ == "__main__":
    main()
