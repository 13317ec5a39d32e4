"""Checks that two results of `xfmr-compare --json` are those of logits that differ by at most e: compiled.test has the arithmetic."""
import json
import sys

a, b = (json.load(open(path)) for path in sys.argv[1:3])
e = float(sys.argv[3])
bounds = {"tokens": 0, "nll_a": 2 * e, "nll_b": 2 * e, "max_abs_logit_diff": 2 * e, "kl_mean": e * (2 * b["kl_mean"] + 4)}
for name, bound in bounds.items():
    if abs(a[name] - b[name]) > bound:
        sys.exit(f"{name}: {a[name]} and {b[name]} are further apart than {bound}")
print(a["tokens"], "tokens agree")
