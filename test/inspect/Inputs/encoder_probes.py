#!/usr/bin/env python3
"""encoder_probes.py LOOK.json PROBES.safetensors: the norms of the stream by the kernels are those of the look; both in f32, other orders: 1e-4."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

look, probes = json.load(open(sys.argv[1])), safetensors.read(sys.argv[2])
for place, norms in enumerate(look["residual"]["norm"]):
    shape, squares = probes[f"residual.{place - 1}.squares" if place else "embedding.squares"]
    assert shape == [len(look["ids"]), 1], shape
    for t, norm in enumerate(norms):
        assert math.isclose(math.sqrt(squares[t]), norm, rel_tol=1e-4), (place, t, squares[t], norm)
print(f"norms of {len(look['ids'])} rows at {look['layers'] + 1} places")
