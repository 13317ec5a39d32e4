#!/usr/bin/env python3
"""bounds.py TRUE.json LEAST.json MORE.json ALL.json: bounds from a teacher's shards beside the divergence of both models."""
import json
import sys

paths = sys.argv[1:]
true, *told = [json.load(open(path)) for path in paths]
kl = true["kl_mean"]
for path, fit in zip(paths[1:], told):
    assert fit["tokens"] == true["tokens"], fit
    # Both sides ran in f32 by the same code; shards hold log-probabilities in f32.
    assert fit["kl_least"] - 1e-6 <= kl <= fit["kl_most"] + 1e-6, (path, fit, kl)
    assert abs(fit["nll_b"] - true["nll_b"]) < 1e-6 and abs(fit["nll_teacher"] - true["nll_a"]) < 1e-6
    exact = abs(fit["kl_least"] - kl) < 1e-6 and abs(fit["kl_most"] - kl) < 1e-6
    print(path, "is the divergence" if exact else "holds the divergence")
few, more, whole = told
assert few["mass_left"] > more["mass_left"] > whole["mass_left"] == 0
assert few["kl_most"] - few["kl_least"] > 2 * (more["kl_most"] - more["kl_least"]) > 0
print("narrower from", paths[1], "to", paths[2])
