#!/usr/bin/env python3
"""look_device.py PERPLEXITY.json WINDOWS.json PROMPT.json PROBES.safetensors LOGITS.safetensors: a look against xfmr-run.

Both compute in f32, in another order: 1e-4 of a value."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

perplexity, windows, prompt = (json.load(open(path)) for path in sys.argv[1:4])
probes, logits = (safetensors.read(path) for path in sys.argv[4:6])
assert math.isclose(perplexity["nll"], windows["texts"][0]["nll"], rel_tol=1e-4), (perplexity, windows["texts"])
(T, V), values = logits["logits"]
assert T == len(prompt["ids"])
for place in range(prompt["layers"] + 1):
    squares = probes[f"residual.{place - 1}.squares" if place else "embedding.squares"][1]
    for t in range(T):
        assert math.isclose(math.sqrt(squares[t]), prompt["residual"]["norm"][place][t], rel_tol=1e-4), (place, t)
for layer, f in enumerate(prompt["ffn"]):
    squares = probes[f"ffn.{layer}.squares"][1]
    for t in range(T):
        assert sum(v * v for v in f["values"][t]) <= squares[t] * 1.0001
for t, token in enumerate(prompt["attribution"]["token_ids"]):
    assert math.isclose(prompt["attribution"]["logit"][t], values[t * V + token], rel_tol=1e-4, abs_tol=1e-3), t
print("loss, norms and logits equal")
