#!/usr/bin/env python3
"""look_minis.py MINIS: a look at each miniature, by its ids; every identity, and the logits and experts of its expected/.

Where the output projection has a bias (--biased) heads do not add up to their attention, where a down projection has one
(--biased-network), or a shared expert is gated, channels not to their network. Logits before a cap are compared after it (gemma2: 30). A second look at seven
ids shows whole rows of attention."""
import json
import math
import os
import subprocess
import sys

from same_routing import same_routing

here = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(here, "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

minis = sys.argv[1]
FAMILIES = {
    "gpt2": ["--biased", "--biased-network"], "gpt-neox": ["--biased", "--biased-network"], "gemma": [], "gemma2": [], "gemma3": [], "llama": [],
    "mistral": [], "olmo2": [], "phi3": [], "qwen2": [], "qwen3": [], "gpt-oss": ["--routers", "--sinks", "--biased", "--biased-network"],
    "mixtral": ["--routers"], "olmoe": ["--routers"], "phimoe": ["--routers", "--biased"], "qwen2-moe": ["--routers", "--biased-network"], "qwen3-moe": ["--routers"],
    "granite-moe": ["--routers"], "deepseek-v2": ["--routers"], "deepseek-v3": ["--routers"], "llama-bf16": [], "llama-f16": [],
    "llama-sharded": [], "llama-rope-linear": [], "llama-rope-dynamic": [], "llama-rope-llama3": [], "llama-rope-yarn": [],
    "llama-lora": ["--biased", "--biased-network"], "llama-lora, folded": [], "llama4": ["--routers"],
}


def inspect(family, ids, name):
    folder, _, form = family.partition(", ")
    model = [os.path.join(minis, folder)]
    if folder == "llama-lora":  # beside the layers an adapter is a term of its own
        model = [os.path.join(minis, "llama"), "--adapter", model[0], *(["--passes", "xfmr-fold-lora"] if form else [])]
    with open(name, "w") as out:
        subprocess.run(["xfmr-inspect", *model, "--prompt-ids", ",".join(map(str, ids)), "--top", "192", "--json"], check=True,
                       stdout=out)
    return json.load(open(name))


def check(family, flags, number):
    folder = os.path.join(minis, family.partition(", ")[0])
    ids = json.load(open(os.path.join(folder, "expected", "prompts.json")))["prompts"][number]["ids"]
    name = f"{family.replace(', ', '-')}.{number}.json"
    look = inspect(family, ids, name)
    (T, V), expected = safetensors.read(os.path.join(folder, "expected", "logits.safetensors"))[f"prompt{number}"]
    assert T == len(ids) == len(look["ids"])
    attribution = look["attribution"]
    if "refused" not in attribution:
        config = os.path.join(folder, "config.json")
        cap = json.load(open(config)).get("final_logit_softcapping") if os.path.exists(config) else None
        for t, token in enumerate(attribution["token_ids"]):
            found = attribution["logit"][t]
            found = cap * math.tanh(found / cap) if cap else found
            assert abs(found - expected[t * V + token]) < 5e-3, (family, t, found, expected[t * V + token])
    for t, best in enumerate(look["foreseen"]["token_ids"]):
        row = expected[t * V : (t + 1) * V]
        assert row[best[0]] >= max(row) - 5e-3, (family, t)
    if "--routers" in flags:
        routing = safetensors.read(os.path.join(folder, "expected", "routing.safetensors"))
        same_routing(look, routing, number, family, rel_tol=1e-3, abs_tol=1e-4)
    asked = [flag for flag in flags if not flag.startswith("--biased")]
    asked += ["--heads"] * ("--biased" not in flags) + ["--channels"] * ("--biased-network" not in flags)
    checked = subprocess.run([sys.executable, os.path.join(here, "look.py"), name, *asked], check=True, capture_output=True, text=True)
    return checked.stdout.strip() + (f" (refused: {attribution['refused']})" if "refused" in attribution else "")


for family, flags in FAMILIES.items():
    whole = check(family, flags, 1).rsplit(", ", 1)
    print(f"{family}: {check(family, flags, 2)}; {'sinks' if '--sinks' in flags else 'whole rows'} of 7")
    assert ("sinks" if "--sinks" in flags else "whole rows") in ", ".join(whole), (family, whole)
