#!/usr/bin/env python3
"""muted.py MODEL TEXT LAYER..: heads that look to the token before, found by their scores, cost more when they are muted than any other of
their layer. Prints a line a layer: the heads with what the text costs more without them, nats a token, costliest first."""
import json
import subprocess
import sys

model, text, *layers = sys.argv[1:]


def look(*options):
    done = subprocess.run(["xfmr-inspect", model, "--text", text, "--json", *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


whole = look("--views", "attention")
for layer in map(int, layers):
    scores = [s for s in whole["attention"]["scores"] if s["layer"] == layer]
    back = {s["head"] for s in scores if "to the token before" in s["sentence"]}
    cost = {}
    for head in range(whole["heads"]):
        muted = look("--views", "router", f"--passes=xfmr-mute-heads{{heads={head} layers={layer}}}")
        cost[head] = muted["texts"][0]["nll"] - whole["texts"][0]["nll"]
    order = sorted(cost, key=lambda head: -cost[head])
    assert back and set(order[: len(back)]) == back, (layer, back, cost)
    print(f"layer {layer}: " + ", ".join(f"{layer}.{head} {cost[head]:.3f}{'*' if head in back else ''}" for head in order))
