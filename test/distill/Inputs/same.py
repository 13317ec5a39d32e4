#!/usr/bin/env python3
"""same.py OUTPUT COMPARED.json: the divergences of xfmr-distill's line, which has four digits, are those of xfmr-compare."""
import json
import re
import sys

told = re.search(r"([\d.e-]+) -> ([\d.e-]+) nats", open(sys.argv[1]).read())
for found, row in zip(told.groups(), json.load(open(sys.argv[2]))):
    if abs(float(found) - row["kl_least"]) > 1e-3 * row["kl_least"]:
        sys.exit("%s, compared %g" % (found, row["kl_least"]))
print("before and after as compared")
