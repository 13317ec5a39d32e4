#!/usr/bin/env python3
"""Checks shares of a model's parameters, in hundredths of a percent, from the JSON of xfmr-inspect on standard input:
shares.py ATTENTION FFN EMBEDDING_AND_HEAD FFN_OF_BLOCK"""
import json
import sys

counts = json.load(sys.stdin)["parameters"]
attention, ffn, total = counts["attention"], counts["ffn"], counts["total"]
found = [attention / total, ffn / total, (counts["embedding"] + counts["lm_head"]) / total, ffn / (attention + ffn)]
for share, expected in zip(found, sys.argv[1:], strict=True):
    if f"{100 * share:.2f}" != expected:
        sys.exit(f"a share is {100 * share:.2f} %, expected {expected} %: {found}")
print("ok")
