#!/usr/bin/env python3
"""expert_channels.py MOE TEXT EXPERTS.json LOOK.json: --ffn of a mixture's layer against a look, and one of its channels against both."""
import json
import math
import subprocess
import sys

model, text = sys.argv[1:3]
listed, look = (json.load(open(path)) for path in sys.argv[3:5])
network = next(f for f in look["ffn"] if f["layer"] == 2)
for a, b in zip(listed["channels"], network["channels"]):
    assert (a["expert"], a["channel"]) == (b["expert"], b["channel"]), (a, b)
    for key in ("mean_abs", "column_norm", "share"):
        assert math.isclose(a[key], b[key], rel_tol=1e-4), (key, a, b)
    assert [p["token"] for p in a["promotes"]] == [p["token"] for p in b["promotes"][:3]], (a, b)
first = network["channels"][0]
place = f"2:{first['expert']}:{first['channel']}"
one = json.loads(subprocess.run(["xfmr-inspect", model, "--ffn", place, "--text", text, "--json"], check=True, capture_output=True,
                                text=True).stdout)
assert (one["expert"], one["channel"]) == (first["expert"], first["channel"])
assert math.isclose(one["positive_share"], first["positive_share"], rel_tol=1e-4)
for a, b in zip(one["positions"], first["positions"]):
    assert 256 * a["window"] + a["position"] == b["row"] and math.isclose(a["value"], b["value"], rel_tol=1e-4), (a, b)
    assert a["token"] == look["tokens"][b["row"]]
for key in ("promotes", "suppresses"):
    for a, b in zip(one[key], first[key]):
        assert a["token"] == b["token"] and math.isclose(a["value"], b["value"], rel_tol=1e-4), (a, b)
print(f"{len(listed['channels'])} channels of {network['experts']} experts, one with its firings")
