#!/usr/bin/env python3
"""Clicks through a page of a look in headless Chromium: click.py PAGE.html LOOK.json [--before]

What the page shows and copies must be the JSON's, in the address and by keyboard too. Prints what was read."""
import html
import json
import math
import os
import re
import subprocess
import sys
import tempfile

page, look = sys.argv[1], json.load(open(sys.argv[2]))
script = r"""
const results = {}, text = selector => document.querySelector(selector).textContent;
const hit = name => document.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
results.cards = [...document.querySelectorAll("section.card[id]")].map(s => s.id);
results.tokens = document.querySelectorAll("#text .strip span").length;
document.querySelectorAll("#text .strip span")[3].click();
results.clicked = {hash: location.hash, said: text("#text .said"), marked: document.querySelector("#text .strip .chosen").dataset.t};
hit("ArrowRight"); hit("ArrowUp"); hit("]");
results.keys = location.hash;
results.foreseen = [...document.querySelectorAll("#text table tr")].slice(1).map(r => r.lastChild.textContent);
results.logit = text("#attribution .said");
const select = document.querySelector("#lens select");
select.value = "chance"; select.dispatchEvent(new Event("change"));
results.lens = document.querySelector("#lens td.chosen[data-x], #lens td.chosen").title;
results.lensHash = location.hash;
const cell = document.querySelectorAll("#attention .heads tr")[0].children[1];
cell.click();
results.head = {hash: location.hash, said: text("#attention .said"), value: cell.textContent};
results.channels = document.querySelector("#ffn") ? [...document.querySelectorAll("#ffn table")[0].querySelectorAll("tr")].slice(1).map(r => r.firstChild.textContent) : null;
if (document.querySelector("#router")) {
  const box = document.querySelector("#router select");
  box.value = "2"; box.dispatchEvent(new Event("change"));
  results.router = {said: text("#router .said"), load: [...document.querySelectorAll("#router table tr")[1].children].slice(1, -1).map(c => c.textContent)};
}
if (document.querySelector("#change")) results.change = text("#change .said");
document.querySelector("#residual h2 button").click();
results.copied = window.lastCopied;
results.wide = document.documentElement.scrollWidth <= innerWidth;
results.first = performance.now() - performance.timeOrigin >= 0 ? performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd : -1;
const pre = document.createElement("pre");
pre.id = "results";
pre.textContent = JSON.stringify(results);
document.body.append(pre);
"""
with tempfile.TemporaryDirectory() as folder:
    copy = os.path.join(folder, "page.html")
    body = open(page).read()
    with open(copy, "w") as file:
        file.write(body.replace("</body>", "<script>" + script + "</script></body>"))
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
               "--enable-logging=stderr", "--v=0", "--window-size=420,900", "--virtual-time-budget=8000", "--dump-dom",
               "file://" + copy + "#t=2&layer=1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": folder})
console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
assert not console, console
found = json.loads(html.unescape(re.search(r'<pre id="results">(.*?)</pre>', run.stdout, re.S).group(1)))


def digits(value, n=3):
    return f"{value:.{n}g}"


def number(text):
    return float(text.replace(",", ""))


def near(shown, value, what):  # a half and three digits
    assert math.isclose(number(shown), value, rel_tol=6e-3, abs_tol=1e-4), (what, shown, value)


print("cards", *found["cards"])
assert found["tokens"] == len(look["ids"]), found["tokens"]
assert found["clicked"]["hash"].startswith("#t=3&layer=1&"), found["clicked"]
assert found["clicked"]["marked"] == "3"
near(re.search(r"surprise ([\d.e-]+) nats", found["clicked"]["said"]).group(1), look["surprise"][3], "surprise")
assert "t=4&layer=2&head=1" in found["keys"], found["keys"]
for shown, value in zip(found["foreseen"], look["foreseen"]["chances"][4]):
    near(shown, value, "foreseen")
a = look["attribution"]
shown = re.search(r"the model: ([-−\d.e]+)", found["logit"]).group(1)
near(shown, a["logit"][4], "logit")
assert "lens=chance" in found["lensHash"]
near(re.search(r"final token ([\d.e-]+),", found["lens"]).group(1), look["lens"]["chance"][look["layers"]][4], "lens")
top = look["layers"] - 1
score = next(s for s in look["attention"]["scores"] if s["layer"] == top and s["head"] == 0)
assert f"layer={top}&head=0" in found["head"]["hash"], found["head"]
assert score["sentence"] in found["head"]["said"], found["head"]
assert int(found["head"]["value"]) == round(100 * score["previous"]), found["head"]
if found["channels"] is not None:
    f = next(f for f in look["ffn"] if f["layer"] == top)
    assert [int(c) for c in found["channels"]] == f["fired"][4], found["channels"]
if "router" in found:
    r = next(r for r in look["router"] if r["layer"] == 2)
    assert f"expert {r['chosen'][4][0]} " in found["router"]["said"], found["router"]
    for shown, value in zip(found["router"]["load"], r["load"][0]):
        assert abs(float(shown.split()[0]) - 100 * value) < 0.11, (shown, value)
if "--before" in sys.argv:
    assert found["change"] == look["change"]["sentence"], found["change"]
copied = json.loads(found["copied"])
for place, row in enumerate(look["residual"]["norm"]):
    for t, value in enumerate(row):
        assert math.isclose(copied["norm"][place][t], value, rel_tol=2e-3), (place, t)
assert found["wide"], "the page is wider than a phone"
print("read, clicked and copied")
