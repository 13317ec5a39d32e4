#!/usr/bin/env python3
"""look_forms.py MODEL TEXT: a look at the model, and at it rounded, pruned, with an adapter folded in and as GGUF files. Each has the keys of
the first, and every sum of look.py holds. With --page each page is clicked through instead (click.py)."""
import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
model, text = sys.argv[1:3]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def python(script, *arguments):
    return run(sys.executable, os.path.join(here, script), *arguments).strip()


def shape(value):
    """Keys and ranks, no numbers: what a reader of the JSON depends on."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list) and value:
        return [shape(value[0])]
    return "list" if isinstance(value, list) else "text" if isinstance(value, str) else "number"


python("../../lora/Inputs/make_adapter.py", os.path.join(model, "config.json"), "adapter", "q_proj", "o_proj", "gate_proj", "down_proj")
run("xfmr-export", model, "--format=gguf", "-o", "plain.gguf")
run("xfmr-export", model, "--type=q8_0", "--format=gguf", "-o", "q8.gguf")
forms = {
    "plain": [model],
    "q8": [model, "--passes", "xfmr-quantize{scheme=q8_0}"],
    "q4": [model, "--passes", f"xfmr-quantize{{scheme=q4_0 text={text}}}"],
    "pruned": [model, "--passes", "xfmr-prune-ffn{width=176 method=magnitude},xfmr-prune-heads{heads=4 layers=1}"],
    "folded": [model, "--adapter", "adapter", "--passes", "xfmr-fold-lora"],
    "gguf": ["plain.gguf"],
    "gguf_q8_0": ["q8.gguf"],
}
plain = None
for name, command in forms.items():
    run_on = ["xfmr-inspect", *command, "--text", text, "--top", "360"]
    with open(name + ".json", "w") as file:
        file.write(run(*run_on, "--json"))
    look = json.load(open(name + ".json"))
    changed = look.pop("change", None)
    look.pop("before", None)
    json.dump(look, open(name + ".look.json", "w"))
    said = python("look.py", name + ".look.json", "--heads", "--channels")
    found = shape({key: value for key, value in look.items() if key != "vocabulary"})
    if plain is None:
        plain = (look, found)
        print(f"{name}: {said}")
        continue
    assert found == plain[1], name
    assert (changed is not None) == ("--passes" in command), name
    print(f"{name}: {said}; {abs(look['texts'][0]['nll'] - plain[0]['texts'][0]['nll']):.6f} nats from the plain one")
if "--page" in sys.argv:
    for name in ("q4", "pruned", "folded", "gguf_q8_0"):
        run("xfmr-inspect", *forms[name], "--text", text, "--html", name + ".html")
        with open(name + ".page.json", "w") as file:
            file.write(run("xfmr-inspect", *forms[name], "--text", text, "--json"))
        before = ["--before"] if "--passes" in forms[name] else []
        print(f"page of {name}: {python('click.py', name + '.html', name + '.page.json', *before)}")
