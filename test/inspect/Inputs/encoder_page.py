#!/usr/bin/env python3
"""encoder_page.py PAGE.html LOOK.json: what the page of an encoder shows after clicks is the JSON's."""
import json
import sys

import chromium

look = json.load(open(sys.argv[2]))
found = chromium.run(sys.argv[1], r"""
const text = selector => document.querySelector(selector).textContent;
results.cards = [...document.querySelectorAll("section.card[id]")].map(s => s.id);
results.titles = [...document.querySelectorAll("section.card h2")].map(h => h.firstChild.textContent);
document.querySelectorAll("#text .strip span")[3].click();
results.said = text("#text .said");
results.begins = [...document.querySelectorAll("#text .strip .begin")].map(s => +s.dataset.t);
results.choices = [...document.querySelectorAll("#attention select option")].map(o => o.value);
const box = document.querySelector("#attention select"); box.value = "next"; box.dispatchEvent(new Event("change"));
document.querySelectorAll("#attention .heads tr")[0].children[2].click();
results.head = text("#attention .said");
results.shown = text("#attention .heads td.chosen");
results.strip = document.querySelectorAll("#attention .strip span").length;
results.channel = document.querySelector("#ffn tr[data-channel]").dataset.channel;
results.change = document.querySelector("#change") ? text("#change .said") : "";
""", width=420, state="#t=1&layer=1")
window = look["windows"][0]
top = look["layers"] - 1
score = next(s for s in look["attention"]["scores"] if (s["layer"], s["head"]) == (top, 1))
assert found["said"].startswith("Token 3 ") and "foresees nothing" in found["said"], found["said"]
assert found["begins"] == [t for w in look["windows"] for t in (w["first"], w["first"] + w["count"] - 1)], found["begins"]
assert found["choices"] == ["previous", "next", "first", "last", "self", "same", "sink"], found["choices"]
assert score["sentence"] in found["head"] and "token after" in found["head"] and "tokens away" in found["head"], found["head"]
assert int(found["shown"]) == round(100 * score["next"]), (found["shown"], score)
assert found["strip"] == window["count"], found["strip"]
assert found["change"] == look["change"]["sentence"], found["change"]
f = next(f for f in look["ffn"] if f["layer"] == top)
assert found["channel"] == str(f["channels"][0]["channel"]), found["channel"]
print("cards", *found["cards"])
print(found["titles"][[t.startswith("The text") for t in found["titles"]].index(True)])
