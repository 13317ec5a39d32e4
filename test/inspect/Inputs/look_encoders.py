#!/usr/bin/env python3
"""look_encoders.py FOLDER FAMILY: a look at a miniature of scripts/make-fixture against its family's file (test/families).

Weights of every head at every token, the scores that are means of them, and the norms of what is left are those that the file computes."""
import importlib
import json
import math
import os
import subprocess
import sys

source = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path += [os.path.join(source, "families"), os.path.join(source, "scripts")]
sys.dont_write_bytecode = True
import safetensors  # noqa: E402  (test/scripts)

folder, name = sys.argv[1:]
family = importlib.import_module(name)
attend, seen = family.attend_both_ways, []


def record(queries, keys, values, distance=None):
    """The family's attention, and its weights: of a value that is the unit vector of a key they are what comes out."""
    unit = [[[float(j == i) for j in range(len(keys))]] * len(queries[0]) for i in range(len(keys))]
    wide = []
    for i, position in enumerate(queries):
        inside = [j for j in range(len(keys)) if distance is None or abs(i - j) <= distance]
        row = []
        for h, query in enumerate(position):
            scores = [sum(map(float.__mul__, query, keys[j][h])) / math.sqrt(len(query)) for j in inside]
            weights = [math.exp(score - max(scores)) for score in scores]
            row.append([sum(w * unit[j][h][k] for w, j in zip(weights, inside)) / sum(weights) for k in range(len(keys))])
        wide.append(row)
    seen.append(wide)
    return attend(queries, keys, values, *([] if distance is None else [distance]))


family.attend_both_ways = record
config = json.load(open(os.path.join(folder, "config.json")))
weights = {n: [v[i : i + s[1]] for i in range(0, len(v), s[1])] if len(s) == 2 else list(v)
           for n, (s, v) in safetensors.read(os.path.join(folder, "model.safetensors")).items()}
ids = [5, 17, 5, 40, 17, 8, 5]
hidden = family.hidden(config, weights, ids)
done = subprocess.run(["xfmr-inspect", folder, "--prompt-ids", ",".join(map(str, ids)), "--top", "8", "--json"], capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr)
look = json.loads(done.stdout)
N, L, H = len(ids), look["layers"], look["heads"]
assert look["encoder"] and look["ids"] == ids and len(seen) == L
assert not {"surprise", "entropy", "foreseen", "repeated", "lens"} & look.keys(), look.keys()
assert look["attribution"] == {"refused": "the model is an encoder, which has no logits"}, look["attribution"]


def near(a, b, what):
    assert math.isclose(a, b, rel_tol=1e-4, abs_tol=2e-6), (what, a, b)


for l in range(L):
    for h in range(H):
        told = next(s for s in look["attention"]["scores"] if (s["layer"], s["head"]) == (l, h))
        means = dict.fromkeys(("previous", "next", "first", "last", "self", "same", "entropy", "distance"), 0.0)
        same = 0
        for t in range(N):
            row = seen[l][t][h]
            shown = {to: w for to, w in zip(look["attention"]["to"][l][h][t], look["attention"]["weights"][l][h][t]) if to >= 0}
            near(sum(shown.values()), 1, ("row", l, h, t))
            for to, w in enumerate(row):
                near(shown.get(to, 0.0), w, (l, h, t, to))
            others = [j for j in range(N) if j != t and ids[j] == ids[t]]
            same += bool(others)
            for key, value in {"previous": row[t - 1] if t else 0, "next": row[t + 1] if t + 1 < N else 0, "first": row[0], "last": row[-1],
                               "self": row[t], "entropy": -sum(w * math.log(w) for w in row if w > 0),
                               "distance": sum(w * abs(j - t) for j, w in enumerate(row))}.items():
                means[key] += value / N
            means["same"] += sum(row[j] for j in others)
        means["same"] /= same
        for key, value in means.items():
            near(told[key], value, (key, l, h))
        assert "induction" not in told and abs(told["sink"]) < 1e-5
if name == "bert":  # nothing stands behind the last block
    for t in range(N):
        near(look["residual"]["norm"][L][t], math.sqrt(sum(x * x for x in hidden[t])), ("norm", t))
fired = [len(f["fired"]) for f in look["ffn"]]
assert fired == [N] * L and all(not c["promotes"] for f in look["ffn"] for c in f["channels"])
print(f"{name}: {N} tokens, {L} blocks of {H} heads: weights, scores, channels")
