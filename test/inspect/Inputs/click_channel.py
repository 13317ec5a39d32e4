#!/usr/bin/env python3
"""click_channel.py PAGE LAYER.json CHANNEL.json: the page of --ffn LAYER:CHANNEL --html shows what --ffn LAYER and --ffn LAYER:CHANNEL say."""
import json
import math
import sys

import chromium

layer, channel = (json.load(open(path)) for path in sys.argv[2:4])
found = chromium.run(sys.argv[1], r"""
const cells = rows => [...rows].map(r => [...r.children].map(c => c.textContent));
results.list = cells(document.querySelectorAll("#ffn tr[data-channel]"));
results.said = document.querySelector("#ffn .detail .said").textContent;
const tables = document.querySelectorAll("#ffn .detail table");
results.fires = cells(tables[0].querySelectorAll("tr")).slice(1);
results.words = cells(tables[1].querySelectorAll("tr")).slice(1);
results.cards = [...document.querySelectorAll("section.card[id]")].map(s => s.id);
""", width=768)
assert "ffn" in found["cards"] and "attention" not in found["cards"], found["cards"]


def near(text, value):
    assert math.isclose(float(text.split()[0]), value, rel_tol=6e-3, abs_tol=1e-3), (text, value)


for row, entry in zip(found["list"], layer["channels"]):
    assert int(row[0]) == entry["channel"], (row, entry)
    near(row[1], entry["mean_abs"])
    near(row[3], entry["column_norm"])
    assert abs(float(row[4].split()[0]) - 100 * entry["share"]) < 0.06, (row, entry)
    for promoted in entry["promotes"]:
        assert promoted["token"].strip() in row[5], (row, promoted)
assert [row[0] for row in found["list"]][-1] == "7" or "7" in [row[0] for row in found["list"]]
assert found["said"].startswith("Channel 7 of block 2: "), found["said"]
for row, entry in zip(found["fires"], channel["positions"]):
    near(row[0], entry["value"])
    assert int(row[1]) == 256 * entry["window"] + entry["position"], (row, entry)
    assert entry["token"].strip() in row[2], (row, entry)
for row, promoted, suppressed in zip(found["words"], channel["promotes"], channel["suppresses"]):
    assert promoted["token"].strip() in row[0] and suppressed["token"].strip() in row[2], row
    near(row[1], promoted["value"])
    near(row[3], suppressed["value"])
print(f"{len(layer['channels'])} channels of layer 2 and channel 7, as --ffn says")
