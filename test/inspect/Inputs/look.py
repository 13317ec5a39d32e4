#!/usr/bin/env python3
"""Checks what must hold of a look: JSON of xfmr-inspect --json.

    look.py LOOK.json [--heads] [--channels] [--routers] [--sinks]

--heads: the lists name all heads, --channels: all channels that fire, of experts too. Sums in f32 of numbers with six digits: 2e-4 of
the largest term. --sinks: a part of the weight goes to no token.
"""
import argparse
import json
import math

parser = argparse.ArgumentParser()
parser.add_argument("look")
for flag in ("--heads", "--channels", "--routers", "--sinks"):
    parser.add_argument(flag, action="store_true")
options = parser.parse_args()
look = json.load(open(options.look))
N, L, H = len(look["ids"]), look["layers"], look["heads"]
done = ["lens", "residual"]


def close(a, b, size, what):
    assert abs(a - b) <= 2e-4 * max(1.0, size), (what, a, b, size)


# The last place of the lens is the output.
lens = look["lens"]
for t in range(N):
    assert lens["rank"][L][t] == 1 and lens["kl"][L][t] == 0, t
    assert lens["token_ids"][L][t] == look["foreseen"]["token_ids"][t][0], t
    assert lens["chance"][L][t] == look["foreseen"]["chances"][t][0], t
    assert lens["entropy"][L][t] == look["entropy"][t], t
    for place in range(L + 1):
        assert 0 <= lens["chance"][place][t] <= 1 and lens["kl"][place][t] >= 0
begins = {w["first"] for w in look["windows"]}
assert all((s is None) == (t in begins) for t, s in enumerate(look["surprise"]))
for i, text in enumerate(look["texts"]):
    rows = [t for w in look["windows"] if w["text"] == i for t in range(w["first"] + 1, w["first"] + w["count"])]
    close(sum(look["surprise"][t] for t in rows) / len(rows), text["nll"], 1, "nll")

# Blocks sum to the logit, heads to their block, channels to their network.
a = look["attribution"]
if "refused" not in a:
    done.append("attribution")
    for t in range(N):
        terms = [a["embedding"][t], a["constant"][t]] + [a[k][l][t] for k in ("attention", "ffn") for l in range(L)]
        close(sum(terms), a["logit"][t], sum(map(abs, terms)), ("logit", t))
        if options.heads:
            of = [0.0] * L
            for head, value in zip(a["heads"][t], a["head_values"][t]):
                of[head // H] += value
            for l in range(L):
                close(of[l], a["attention"][l][t], sum(map(abs, a["head_values"][t])), ("heads", l, t))
    if options.heads:
        done.append("heads")

# Rows of attention sum to one, where all weights are shown; with a sink to what that leaves: one minus its share.
att = look["attention"]
present = {(s["layer"], s["head"]) for s in att["scores"]}
left = {place: [] for place in present}  # of rows from the third of a window on, of which scores are means
for t in range(min(N, att["rows"])):
    window = next(w for w in look["windows"] if w["first"] <= t < w["first"] + w["count"])
    for l in range(L):
        for h in range(H):
            if (l, h) not in present:
                assert all(to < 0 for to in att["to"][l][h][t])
                continue
            weights = [w for to, w in zip(att["to"][l][h][t], att["weights"][l][h][t]) if to >= 0]
            assert all(to <= t - window["first"] for to in att["to"][l][h][t])
            assert weights == sorted(weights, reverse=True)
            if t - window["first"] < len(att["to"][l][h][t]) and not options.sinks:
                assert math.isclose(sum(weights), 1, abs_tol=1e-4), (l, h, t, weights)
            assert sum(weights) < 1.0001
            if t - window["first"] >= 2:
                left[l, h].append(1 - sum(weights))
if all(w["count"] <= len(att["to"][0][0][0]) for w in look["windows"]) and att["rows"] >= N:
    for s in att["scores"]:
        rest = left[s["layer"], s["head"]]
        assert math.isclose(sum(rest) / max(len(rest), 1), s["sink"], abs_tol=1e-4), (s, rest)
        assert (s["sink"] > 1e-3) == options.sinks, s
    done.append("sinks" if options.sinks else "whole rows")
for s in att["scores"]:
    assert all(-1e-6 <= s[k] <= 1.0001 for k in ("previous", "first", "self", "same", "induction", "repeated", "sink")), s
done.append("attention")

if options.channels:
    for l in range(L):
        networks = [f for f in look["ffn"] if f["layer"] == l]
        for t in range(min([N] + [len(f["fired"]) for f in networks])):  # of long texts the first rows
            terms = []
            for f in networks:
                fired = [(n, v) for n, v in zip(f["fired"][t], f["logits"][t]) if n >= 0]
                if "experts" in f:  # those of the experts that the token goes to, or those that are not 0
                    chosen = next(r for r in look["router"] if r["layer"] == l)["chosen"][t]
                    assert {n // f["width"] for n, _ in fired} <= set(chosen), (l, t)
                else:
                    assert len(fired) == f["width"]
                assert len({n for n, _ in fired}) == len(fired)
                terms += [v for _, v in fired]
            if networks:
                close(sum(terms), a["ffn"][l][t], sum(map(abs, terms)), ("channels", l, t))
        for f in networks:
            shares = [c["share"] for c in f["channels"]]
            assert shares == sorted(shares, reverse=True) and sum(shares) < 1.0001
            for c in f["channels"]:
                assert len(c["promotes"]) == len(c["suppresses"]) and len(c["promotes"]) in (0, 5)
                sizes = [abs(p["value"]) for p in c["positions"]]
                assert sizes == sorted(sizes, reverse=True) and len(sizes) <= 5
    done.append("channels")
if options.routers:
    for r in look["router"]:
        for i in range(len(look["texts"])):
            close(sum(r["load"][i]), 1, 1, "load")
        chosen = sum(r["together"][e][e] for e in range(r["experts"]))
        assert chosen == r["top_k"] * N, (chosen, N)
        for t, (experts, weights) in enumerate(zip(r["chosen"], r["weights"])):
            assert len(set(experts)) == r["top_k"] and weights == sorted(weights, reverse=True)
        assert all(0 <= x <= math.log(r["experts"]) + 1e-6 for x in r["entropy"])
    done.append("routers")
print(f"{N} tokens, {L} blocks: {', '.join(done)}")
