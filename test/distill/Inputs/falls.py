#!/usr/bin/env python3
"""falls.py OUTPUT FITTED [HELD]: the line of xfmr-distill says divergences that fall below these shares of themselves."""
import re
import sys

line = open(sys.argv[1]).read()
limits = [float(x) for x in sys.argv[2:]]
steps = re.search(r"xfmr-distill: (\d+ of \d+ projections refitted)", line).group(1)
pairs = [(float(a), float(b)) for a, b in re.findall(r"([\d.e-]+) -> ([\d.e-]+)", line)]
assert len(pairs) == len(limits), line
for (before, after), limit in zip(pairs, limits):
    if not after < limit * before:
        sys.exit("%g -> %g is not below %g of it" % (before, after, limit))
print(steps + ", below %g of the divergence where it was fitted" % limits[0] +
      (" and %g where it was not" % limits[1] if limits[1:] else ""))
