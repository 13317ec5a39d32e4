#!/usr/bin/env python3
"""Compares what --moe-tokens --json says with lines "token layer expert weight": check_moe_tokens.py WITNESS JSON…"""
import json
import sys

witness = {}
for line in open(sys.argv[1], encoding="utf-8"):
    token, layer, expert, weight = line.split()
    witness[int(token), int(layer), int(expert)] = float(weight)
for path in sys.argv[2:]:
    found = {}
    for number, token in enumerate(json.load(open(path, encoding="utf-8"))["tokens"]):
        for layer in token["layers"]:
            assert layer["weights"] == sorted(layer["weights"], reverse=True)
            for expert, weight in zip(layer["experts"], layer["weights"]):
                found[number, layer["layer"], expert] = weight
    assert found.keys() == witness.keys(), (path, found.keys() ^ witness.keys())
    # Sums over the tokens before are rounded to f32: a few units in the last place of at most 5.
    assert all(abs(found[key] - witness[key]) < 4e-6 for key in witness), path
    print(f"{path}: {len(found)} choices as the witness says")
