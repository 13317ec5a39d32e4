#!/usr/bin/env python3
"""look_taken.py DENSE MOE TEXT: what a pass took is what it is known to take, whichever way it goes: cut, masked, repaired, in another
file. What the units did is what looks at the model before say of them."""
import json
import math
import subprocess
import sys

dense, moe, text = sys.argv[1:4]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def looked(model, *options):
    return json.loads(run("xfmr-inspect", model, "--text", text, "--window", "256", *options, "--json"))


def taken(passes, model=dense, *options):
    return looked(model, "--passes", passes, *options)["change"]["taken"]


def near(a, b, what):
    assert math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6), (what, a, b)


nothing = {"layers": [], "heads": [], "channels": [], "experts": [], "untold": []}

# The 88 channels of least norm, by four ways.
all_of = json.loads(run("xfmr-inspect", dense, "--ffn", "3", "--text", text, "--top", "352", "--json"))["channels"]
gone = sorted(all_of, key=lambda c: c["column_norm"])[:88]
expected = sorted(gone, key=lambda c: -c["share"])[:8]
run("xfmr-export", dense, "--format=hf", "-o", "cut", "--passes", "xfmr-prune-ffn{width=264 method=magnitude}")
ways = {
    "cut": taken("xfmr-prune-ffn{width=264 method=magnitude layers=3}"),
    "masked": taken("xfmr-mask-ffn{width=264 method=magnitude layers=3}"),
    "fused": taken("xfmr-prune-ffn{width=264 method=magnitude layers=3},xfmr-fuse-qkv,xfmr-fuse-glu"),
    "rounded": taken("xfmr-prune-ffn{width=264 method=magnitude layers=3},xfmr-quantize{scheme=q8_0}"),
    "other file": looked("cut", "--against", dense)["change"]["taken"],
}
for way, found in ways.items():
    mine = [c for c in found["channels"] if c["layer"] == 3]
    assert len(mine) == 1 and len(found["channels"]) == (4 if way == "other file" else 1), (way, found)
    assert (mine[0]["count"], mine[0]["of"]) == (88, 352), (way, mine)
    near(mine[0]["share"], sum(c["share"] for c in gone), way)
    assert [c["channel"] for c in mine[0]["channels"]] == [c["channel"] for c in expected], way
    for a, b in zip(mine[0]["channels"], expected):
        near(a["mean_abs"], b["mean_abs"], way)
        assert [p["token"] for p in a["promotes"][:3]] == [p["token"] for p in b["promotes"]], (way, a, b)
    assert {key: value for key, value in found.items() if key != "channels"} == {k: v for k, v in nothing.items() if k != "channels"}, (way, found)
repaired = taken("xfmr-prune-ffn{width=264 method=obs layers=3 text=%s out=obs.safetensors}" % text)
assert [(c["layer"], c["count"]) for c in repaired["channels"]] == [(3, 88)] and not repaired["untold"], repaired
print("88 channels:", *ways, "repaired")

# Heads, with their scores.
plain = looked(dense)
heads = taken("xfmr-prune-heads{heads=4 layers=0 method=magnitude}")["heads"]
assert heads == taken("xfmr-mask-heads{heads=4 layers=0 method=magnitude}")["heads"] and len(heads) == 4
muted = taken("xfmr-mute-heads{heads=3 layers=3}")["heads"]
assert [(h["layer"], h["head"]) for h in muted] == [(3, 3)]
for head in heads + muted:
    score = next(s for s in plain["attention"]["scores"] if (s["layer"], s["head"]) == (head["layer"], head["head"]))
    near(head["logit"], plain["attribution"]["head_means"][head["layer"]][head["head"]], "logit")
    assert {k: v for k, v in head.items() if k != "logit"} == score, (head, score)
print("heads:", *(f"{h['layer']}.{h['head']}" for h in heads), "and 3.3, with their scores")

# Experts, with their share of the choices.
routers = looked(moe)["router"]
for way in ("prune", "mask"):
    found = taken(f"xfmr-{way}-experts{{experts=6 method=frequency text={text} out={way}.safetensors}}", moe)
    assert len(found["experts"]) == 8 and not found["heads"] and not found["channels"] and not found["untold"], found
    for router in routers:
        load = router["load"][0]
        mine = [e for e in found["experts"] if e["layer"] == router["layer"]]
        assert sorted(e["expert"] for e in mine) == sorted(sorted(range(8), key=lambda e: load[e])[:2]), (way, mine, load)
        for e in mine:
            near(e["load"][0], load[e["expert"]], way)
            near(e["saliency"], router["saliency"][e["expert"]], way)
narrow = taken("xfmr-prune-ffn{width=96 method=magnitude layers=2}", moe)["channels"]
assert [(c["layer"], c["expert"], c["count"], c["of"]) for c in narrow] == [(2, e, 32, 128) for e in range(8)], narrow
assert 0.1 < sum(c["share"] for c in narrow) < 0.4, sum(c["share"] for c in narrow)
print("experts: 2 of 8 in each of 4 layers; 32 channels of each expert")

# Blocks, and changes that take nothing or cannot be told.
assert taken("xfmr-prune-layers{layers=1,2}") == {**nothing, "layers": [1, 2]}
assert taken("xfmr-mask-layers{layers=1}") == {**nothing, "layers": [1]}
for passes in ("xfmr-fuse-glu,xfmr-fuse-qkv", "xfmr-quantize{scheme=q4_0 text=%s}" % text):
    assert taken(passes) == nothing, passes
carved = taken("xfmr-carve-moe{experts=8 top_k=4 text=%s}" % text)
assert carved == {**nothing, "untold": [f"layer {l} has other parts than before" for l in range(4)]}, carved
print("blocks, nothing, and what is not told")
