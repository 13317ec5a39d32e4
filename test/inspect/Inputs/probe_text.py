#!/usr/bin/env python3
"""probe_text.py CPU VULKAN DENSE DENSE.json MOE MOE.json: probes of two targets against each other, and against looks at the same rows.

All compute in f32, in other orders: 1e-4 of a value; of products with codes, whose inputs the CPU rounds to eight bits, 2 %."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

cpu, vulkan, dense, moe = (safetensors.read(sys.argv[i]) for i in (1, 2, 3, 5))
looks = [json.load(open(sys.argv[i])) for i in (4, 6)]
assert sorted(cpu) == sorted(vulkan)
for name, (shape, values) in cpu.items():
    assert vulkan[name][0] == shape
    if not name.endswith(".ids"):
        assert safetensors.largest_difference(vulkan[name][1], values) <= 1e-4 * max(map(abs, values)), name
print("targets equal")


def norms(probes, look, tolerance):
    for place in range(look["layers"] + 1):
        shape, squares = probes[f"residual.{place - 1}.squares" if place else "embedding.squares"]
        assert shape == [len(look["ids"]), 1], shape
        for t, norm in enumerate(look["residual"]["norm"][place]):
            assert math.isclose(math.sqrt(squares[t]), norm, rel_tol=tolerance), (place, t, squares[t], norm)


norms(dense, looks[0], 1e-4)
for f in looks[0]["ffn"]:
    squares = dense[f"ffn.{f['layer']}.squares"][1]
    for t, values in enumerate(f["values"]):
        assert sum(v * v for v in values) <= squares[t] * 1.0001
print(f"dense: norms of {len(looks[0]['ids'])} rows")
norms(moe, looks[1], 0.02)
equal = rows = 0
for router in looks[1]["router"]:
    (T, E), logits = moe[f"router.{router['layer']}"]
    for t, chosen in enumerate(router["chosen"]):
        row = logits[t * E : (t + 1) * E]
        best = sorted(range(E), key=lambda e: -row[e])[: router["top_k"]]
        equal, rows = equal + (sorted(best) == sorted(chosen)), rows + 1
assert equal >= 0.95 * rows, (equal, rows)
print(f"moe: norms and choices of {T} rows")
