#!/usr/bin/env python3
"""look_domains.py LOOK.json PERPLEXITY.json: the table of experts and texts against the reference's. A choice of two nearly equal
experts may fall the other way in f32: one in ten thousand. The reference has no entropy: that of the shares bounds it from above by more
than it is from below, so it is only held to be that of a distribution."""
import json
import math
import sys

look, expected = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))["texts"]
for i, text in enumerate(look["texts"]):
    reference = expected[text["name"]]
    assert math.isclose(text["nll"], reference["mean_nll"], rel_tol=1e-4), (text, reference["mean_nll"])
    for router in look["router"]:
        for found, share in zip(router["load"][i], reference["expert_share"][router["layer"]]):
            assert abs(found - share) < 1e-4, (text["name"], router["layer"], found, share)
        assert 0 < router["entropy"][i] < math.log(router["experts"])
print(f"{len(look['texts'])} texts of {len(look['router'])} layers: load, entropy and loss")
