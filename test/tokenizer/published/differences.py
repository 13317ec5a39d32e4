#!/usr/bin/env python3
"""differences.py NAME RECORDS THEIRS OURS: the lines of ids that differ; exit status 1 if there are any.

Both sides have Unicode tables of their own, one of them very old. A record may differ if it has a character that Unicode 3.2
(Python's old table) does not know; these are counted, and more than 1 % of them are an error. A NAME that ends in "pairs": each
record was read behind the one before it.
"""
import sys
import unicodedata

name, records, theirs, ours = sys.argv[1:]
texts = open(records, "rb").read().split(b"\0")[:-1]
if name.endswith("pairs"):
    texts = [before + text for before, text in zip([b""] + texts, texts)]
theirs, ours = open(theirs).read().splitlines(), open(ours).read().splitlines()
if not len(texts) == len(theirs) == len(ours):
    sys.exit(f"{name}: {len(texts)} records, {len(theirs)} lines of theirs, {len(ours)} of ours")
young = wrong = 0
for text, their, our in zip(texts, theirs, ours):
    if their == our:
        continue
    text = text.decode("utf-8", "replace")
    if any(unicodedata.ucd_3_2_0.category(c) == "Cn" for c in text):
        young += 1
        continue
    wrong += 1
    if wrong <= 20:
        print(f"{name}: {text!r}\n  theirs {their}\n  ours   {our}")
print(f"{name}: {len(texts)} records, {wrong} differ, {young} more where a character is younger than Unicode 3.2")
sys.exit(wrong > 0 or young > len(texts) // 100)
