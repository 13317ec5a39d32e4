#!/usr/bin/env python3
"""Checks values of the JSON of xfmr-inspect (standard input): expect.py total=8030261248 blocks.0.num_heads=8 …

A key without a dot that "parameters" has is looked up there. Kinds must add up to the total, and the blocks' counts
to the model's. Prints "ok" and the values.
"""
import json
import sys

report = json.load(sys.stdin)
parameters = report["parameters"]


def check(name, found, expected):
    if found != expected:
        sys.exit(f"{name} is {found}, expected {expected}")


KINDS = ("embedding", "attention", "ffn", "router", "norm", "lm_head")
check("the sum of the kinds", sum(parameters[kind] for kind in KINDS) + parameters.get("pooler", 0), parameters["total"])
check("the number of blocks", len(report["blocks"]), report["layers"])
for kind in ("attention", "ffn", "router"):
    check(f"the blocks' {kind}", sum(b["parameters"][kind] for b in report["blocks"]), parameters[kind])
for key in ("kv_bytes_per_token", "flops_per_context_token"):
    check(f"the blocks' {key}", sum(b[key] for b in report["blocks"]), report[key])

for argument in sys.argv[1:]:
    key, expected = argument.split("=")
    value = parameters if key in parameters else report
    for step in key.split("."):
        value = value[int(step) if isinstance(value, list) else step]
    check(key, value, json.loads(expected))
print("ok", *sys.argv[1:])
