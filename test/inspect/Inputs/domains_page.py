#!/usr/bin/env python3
"""domains_page.py PAGE PERPLEXITY.json: shares of the choices on the page against those of the reference, a block at a time."""
import json
import sys

import chromium

texts = json.load(open(sys.argv[2]))["texts"]
found = chromium.run(sys.argv[1], r"""
const box = document.querySelector("#router select");
results.layers = [...box.options].map(option => {
  box.value = option.value;
  box.dispatchEvent(new Event("change"));
  return [...document.querySelectorAll("#router table")[0].querySelectorAll("tr")].slice(1).map(r => [...r.children].map(c => c.textContent));
});
""")
for layer, rows in enumerate(found["layers"]):
    by_text = {row[0]: row[1:] for row in rows}
    for name, text in texts.items():
        for shown, share in zip(by_text[name], text["expert_share"][layer]):
            assert abs(float(shown.split()[0]) - 100 * share) < 0.11, (layer, name, shown, share)
print(f"{len(texts)} texts of {len(found['layers'])} layers as the reference counted")
