#!/usr/bin/env python3
"""Compares the experts of every token on the device with the routing a checkpoint's expected/ folder states.

    check_token_routing.py TOOL ARTIFACT EXPECTED_DIR [--longest N] [--stepwise]

TOOL is moe-token-routing. For each prompt of 2 to N ids, every prefix is a run of its own: the set of experts of each
token in each layer must be exactly that of routing.safetensors, each weight within 1e-4. With --stepwise tokens are
run one by one. Prints "ok", the number of tokens compared and the largest difference of a weight.
"""
import argparse
import json
import os
import subprocess
import sys

import safetensors


def choices_of_device(arguments, ids):
    """{(token, layer): {expert: weight}}"""
    command = [arguments.tool, arguments.artifact, ",".join(map(str, ids))]
    done = subprocess.run(command + ["stepwise"] * arguments.stepwise, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"status {done.returncode} of {' '.join(command)}: {done.stderr.strip()}")
    choices = {}
    for line in done.stdout.splitlines():
        token, layer, expert, weight = line.split()
        experts = choices.setdefault((int(token), int(layer)), {})
        if int(expert) in experts:
            sys.exit(f"token {token} layer {layer} chose expert {expert} twice")
        experts[int(expert)] = float(weight)
    return choices


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool")
    parser.add_argument("artifact")
    parser.add_argument("expected")
    parser.add_argument("--longest", type=int, default=24)
    parser.add_argument("--stepwise", action="store_true")
    arguments = parser.parse_args()
    routing = safetensors.read(os.path.join(arguments.expected, "routing.safetensors"))
    with open(os.path.join(arguments.expected, "prompts.json"), encoding="utf-8") as file:
        prompts = json.load(file)["prompts"]
    tokens, worst = 0, 0.0
    for prompt in prompts:
        if not 2 <= len(prompt["ids"]) <= arguments.longest:
            continue
        (layers, count, slots), ids = routing[prompt["name"] + ".ids"]
        _, weights = routing[prompt["name"] + ".weights"]
        choices = choices_of_device(arguments, prompt["ids"])
        if len(choices) != layers * count:
            sys.exit(f"{prompt['name']}: {len(choices)} choices, expected {layers * count}")
        for layer in range(layers):
            for token in range(count):
                at = (layer * count + token) * slots
                expected = dict(zip(ids[at : at + slots], weights[at : at + slots]))
                found = choices[token, layer]
                where = f"{prompt['name']} token {token} layer {layer}"
                if set(found) != set(expected):
                    sys.exit(f"{where}: experts {sorted(found)}, expected {sorted(expected)}")
                worst = max([worst] + [abs(found[e] - expected[e]) for e in expected])
                if not worst <= 1e-4:
                    sys.exit(f"{where}: weights {found}, expected {expected}")
        tokens += count
    if not tokens:
        sys.exit(f"no prompt of 2 to {arguments.longest} ids in {arguments.expected}")
    print(f"ok {tokens} tokens, weights differ by {worst:.3g}")


if __name__ == "__main__":
    main()
