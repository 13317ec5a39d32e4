#!/usr/bin/env python3
"""look_domains.py LOOK.json PERPLEXITY.json LOGITS.safetensors: the table of experts and texts against the reference's, and the entropy
against that of the routers' logits as kernels compute them (xfmr-inspect --probe), which the reference has not counted.

A choice of two nearly equal experts may fall the other way in f32: one in ten thousand."""
import json
import math
import os
import sys

from router_entropy import entropy

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

look, expected, logits = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))["texts"], safetensors.read(sys.argv[3])
for i, text in enumerate(look["texts"]):
    reference = expected[text["name"]]
    assert math.isclose(text["nll"], reference["mean_nll"], rel_tol=1e-4), (text, reference["mean_nll"])
    rows = [t for w in look["windows"] if w["text"] == i for t in range(w["first"], w["first"] + w["count"])]
    assert len(rows) == 256 * reference["windows"]
    for router in look["router"]:
        for found, share in zip(router["load"][i], reference["expert_share"][router["layer"]]):
            assert abs(found - share) < 1e-4, (text["name"], router["layer"], found, share)
        (N, E), z = logits[f"router.{router['layer']}"]
        assert N == len(look["ids"])
        mean = sum(entropy(z[t * E : (t + 1) * E]) for t in rows) / len(rows)
        assert math.isclose(router["entropy"][i], mean, rel_tol=1e-4), (text["name"], router["layer"], router["entropy"][i], mean)
print(f"{len(look['texts'])} texts of {len(look['router'])} layers: load, entropy and loss")
