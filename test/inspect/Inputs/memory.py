#!/usr/bin/env python3
"""Checks the picture of one channel, JSON of xfmr-inspect --ffn on standard input, against the tensors of a checkpoint.

    memory.py MODEL --down NAME --norm NAME --head NAME [--transposed] [--unit-offset] [--centred] [--factor X]

Recomputes norm of the column and the tokens that it promotes and suppresses with plain loops. Prints "ok".
"""
import argparse
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

parser = argparse.ArgumentParser()
parser.add_argument("model")
for name in ("--down", "--norm", "--head"):
    parser.add_argument(name, required=True)
parser.add_argument("--transposed", action="store_true")  # [F, D]
parser.add_argument("--unit-offset", action="store_true")
parser.add_argument("--centred", action="store_true")
parser.add_argument("--factor", type=float, default=1.0)
options = parser.parse_args()

found = json.load(sys.stdin)
tensors = safetensors.read(os.path.join(options.model, "model.safetensors"))
(rows, columns), down = tensors[options.down]
j = found["channel"]
column = list(down[j * columns : (j + 1) * columns] if options.transposed else down[j::columns])
assert math.isclose(found["column_norm"], math.hypot(*column), rel_tol=1e-6), "column_norm"

mean = sum(column) / len(column) if options.centred else 0.0
weight = tensors[options.norm][1]
x = [options.factor * (w + options.unit_offset) * (d - mean) for w, d in zip(weight, column)]
(vocabulary, width), head = tensors[options.head]
assert width == len(x)
scores = [sum(h * e for h, e in zip(head[t * width : (t + 1) * width], x)) for t in range(vocabulary)]
for key, order in (("promotes", -1), ("suppresses", 1)):
    expected = sorted(range(vocabulary), key=lambda t: (order * scores[t], t))[: len(found[key])]
    assert [entry["token_id"] for entry in found[key]] == expected, (key, found[key], expected)
    for entry in found[key]:
        assert math.isclose(entry["value"], scores[entry["token_id"]], rel_tol=1e-5, abs_tol=1e-7), (key, entry)
keys = ["model", "layer", "channel", "mean_abs", "positive_share", "column_norm", "positions", "promotes", "suppresses"]
assert list(found) == keys, list(found)
for entry in found["positions"]:
    assert list(entry) == ["window", "position", "value", "token", "context"], entry
print("ok", len(found["positions"]), len(found["promotes"]), len(found["suppresses"]))
