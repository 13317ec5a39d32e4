#!/usr/bin/env python3
"""Clicks through a page of a look in headless Chromium: click.py PAGE.html LOOK.json [--before] [--widths 360,420,768,1440]

What the page shows and copies must be the JSON's, in the address and by keyboard too, at every width. Prints what was read."""
import argparse
import json
import math
import re

import chromium

parser = argparse.ArgumentParser()
parser.add_argument("page")
parser.add_argument("look")
parser.add_argument("--before", action="store_true")
parser.add_argument("--widths", default="420")
options = parser.parse_args()
look = json.load(open(options.look))
script = r"""
const text = selector => document.querySelector(selector).textContent;
const cells = (selector, from = 1) => [...document.querySelectorAll(selector)].slice(from).map(r => [...r.children].map(c => c.textContent));
const hit = name => document.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
const pick = (selector, value) => { const box = document.querySelector(selector); box.value = value; box.dispatchEvent(new Event("change")); };
results.cards = [...document.querySelectorAll("section.card[id]")].map(s => s.id);
results.tokens = document.querySelectorAll("#text .strip span").length;
document.querySelectorAll("#text .strip span")[3].click();
results.clicked = {hash: location.hash, said: text("#text .said"), marked: document.querySelector("#text .strip .chosen").dataset.t};
hit("ArrowRight"); hit("ArrowUp"); hit("]");
results.keys = location.hash;
results.foreseen = cells("#text table tr").map(r => r[1]);
results.logit = text("#attribution .said");
pick("#lens select", "chance");
results.lens = document.querySelector("#lens td.chosen").title;
results.lensHash = location.hash;
const cell = document.querySelectorAll("#attention .heads tr")[0].children[1];
cell.click();
results.head = {hash: location.hash, said: text("#attention .said"), value: cell.textContent};
results.fired = [...document.querySelector("#ffn table").querySelectorAll("tr")].slice(1).map(r => r.firstChild.textContent);
const row = document.querySelector("#ffn tr[data-channel]");
row.click();
results.channel = {hash: location.hash, id: row.dataset.channel, said: text("#ffn .detail .said"),
                   fires: cells("#ffn .detail table tr"), chosen: document.querySelector("#ffn tr.chosen").dataset.channel};
if (document.querySelector("#router")) {
  pick("#router select", "2");
  results.router = {said: text("#router .said"), load: cells("#router table tr").map(r => r.slice(1))};
}
if (document.querySelector("#change"))
  results.change = {said: text("#change .said"), taken: document.querySelector("#taken").textContent, rows: cells("#taken tr", 0)};
document.querySelector("#residual h2 button").click();
results.copied = window.lastCopied;
results.width = innerWidth;
results.wide = document.documentElement.scrollWidth;
const late = [...document.querySelectorAll("main *, body > section *")].filter(e => !e.closest(".scroll, .strip, svg") && e.getBoundingClientRect().right > innerWidth + 1);
results.outside = late.slice(0, 3).map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40));
"""


def number(text):
    return float(text.replace(",", "").replace("\u2212", "-"))


def near(shown, value, what):  # a half and three digits
    assert math.isclose(number(shown), value, rel_tol=6e-3, abs_tol=1e-4), (what, shown, value)


def percent(shown, value, what):  # one digit behind the point, of a half
    assert abs(number(shown.split()[0]) - 100 * value) < 0.11, (what, shown, value)


def check(found, width):
    assert found["tokens"] == len(look["ids"]), found["tokens"]
    assert found["clicked"]["hash"].startswith("#t=3&layer=1&"), found["clicked"]
    assert found["clicked"]["marked"] == "3"
    near(re.search(r"surprise ([\d.e-]+) nats", found["clicked"]["said"]).group(1), look["surprise"][3], "surprise")
    assert "t=4&layer=2&head=1" in found["keys"], found["keys"]
    for shown, value in zip(found["foreseen"], look["foreseen"]["chances"][4]):
        near(shown, value, "foreseen")
    a = look["attribution"]
    near(re.search(r"the model: ([-−\d.e]+)", found["logit"]).group(1), a["logit"][4], "logit")
    assert "lens=chance" in found["lensHash"]
    near(re.search(r"final token ([\d.e-]+),", found["lens"]).group(1), look["lens"]["chance"][look["layers"]][4], "lens")
    top = look["layers"] - 1
    score = next(s for s in look["attention"]["scores"] if s["layer"] == top and s["head"] == 0)
    assert f"layer={top}&head=0" in found["head"]["hash"], found["head"]
    assert score["sentence"] in found["head"]["said"], found["head"]
    assert int(found["head"]["value"]) == round(100 * score["previous"]), found["head"]

    # Channels: those that fire at the token; one clicked, with where it fires.
    f = next(f for f in look["ffn"] if f["layer"] == top)
    name = (lambda n: f"{n // f['width']}:{n % f['width']}") if "experts" in f else str
    assert found["fired"] == [name(n) for n in f["fired"][4]], (found["fired"], f["fired"][4])
    first = f["channels"][0]
    label = (f"{first['expert']}:" if "expert" in first else "") + str(first["channel"])
    assert found["channel"]["id"] == found["channel"]["chosen"] == label, found["channel"]
    assert f"Channel {label} of block {top}: mean |h| " in found["channel"]["said"], found["channel"]
    assert "channel=" + label.replace(":", "%3A") in found["channel"]["hash"], found["channel"]
    for shown, at in zip(found["channel"]["fires"], first["positions"]):
        near(shown[0], at["value"], "fires")
        assert int(shown[1]) == at["row"], (shown, at)

    if "router" in found:
        r = next(r for r in look["router"] if r["layer"] == 2)
        assert f"expert {r['chosen'][4][0]} " in found["router"]["said"], found["router"]
        for shown, load, entropy in zip(found["router"]["load"], r["load"], r["entropy"]):
            for text, value in zip(shown, load):
                percent(text, value, "load")
            near(shown[-1], entropy, "entropy")
    if options.before:
        taken = look["change"]["taken"]
        assert found["change"]["said"] == look["change"]["sentence"], found["change"]
        for head in taken["heads"]:
            assert [f"{head['layer']}.{head['head']}", head["sentence"]] in [[r[0], r[-1]] for r in found["change"]["rows"]], head
        for gone in taken["channels"]:
            network = f"block {gone['layer']}" + (f", expert {gone['expert']}" if "expert" in gone else "")
            row = next(r for r in found["change"]["rows"] if r[0] == network)
            assert row[1] == f"{gone['count']} of {gone['of']}", (row, gone)
            percent(row[2], gone["share"], "share")
    copied = json.loads(found["copied"])
    for place, row in enumerate(look["residual"]["norm"]):
        for t, value in enumerate(row):
            assert math.isclose(copied["norm"][place][t], value, rel_tol=2e-3), (place, t)
    assert found["width"] == width and found["wide"] <= width, (found["wide"], width, found["outside"])
    assert not found["outside"], (width, found["outside"])


for width in map(int, options.widths.split(",")):
    found = chromium.run(options.page, script, width=width, state="#t=2&layer=1")
    if width == int(options.widths.split(",")[0]):
        print("cards", *found["cards"])
    check(found, width)
print(f"read, clicked and copied at {options.widths}")
