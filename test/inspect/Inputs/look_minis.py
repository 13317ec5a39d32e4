#!/usr/bin/env python3
"""look_minis.py MINIS: a look at each miniature, by its ids; every identity, and the logits and experts of its expected/.

Where the output projection has a bias (--biased) heads do not add up to their attention. Logits before a cap are compared after it (gemma2: 30)."""
import json
import math
import os
import subprocess
import sys

here = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(here, "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

minis = sys.argv[1]
families = {
    "gpt2": ["--biased"], "gpt-neox": ["--biased"], "gemma": [], "gemma2": [], "gemma3": [], "mistral": [], "olmo2": [], "phi3": [], "qwen2": [],
    "qwen3": [], "gpt-oss": ["--routers", "--sinks", "--biased"], "mixtral": ["--routers"], "olmoe": ["--routers"], "qwen2-moe": ["--routers"],
    "qwen3-moe": ["--routers"], "granite-moe": ["--routers"], "deepseek-v2": ["--routers"], "deepseek-v3": ["--routers"],
    "llama-bf16": [], "llama-f16": [], "llama4": ["--routers"],
}
for family, flags in families.items():
    folder = os.path.join(minis, family)
    prompt = json.load(open(os.path.join(folder, "expected", "prompts.json")))
    prompt = prompt.get("prompts", prompt) if isinstance(prompt, dict) else prompt
    entry = prompt[2]
    ids = entry["ids"] if isinstance(entry, dict) else entry
    with open(family + ".json", "w") as out:
        subprocess.run(["xfmr-inspect", folder, "--prompt-ids", ",".join(map(str, ids)), "--top", "64", "--json"], check=True,
                       stdout=out)
    look = json.load(open(family + ".json"))
    (T, V), expected = safetensors.read(os.path.join(folder, "expected", "logits.safetensors"))["prompt2"]
    assert T == len(ids) == len(look["ids"])
    attribution = look["attribution"]
    if "refused" not in attribution:
        cap = json.load(open(os.path.join(folder, "config.json"))).get("final_logit_softcapping")
        for t, token in enumerate(attribution["token_ids"]):
            found = attribution["logit"][t]
            found = cap * math.tanh(found / cap) if cap else found
            assert abs(found - expected[t * V + token]) < 5e-3, (family, t, found, expected[t * V + token])
    for t, best in enumerate(look["foreseen"]["token_ids"]):
        row = expected[t * V : (t + 1) * V]
        assert row[best[0]] >= max(row) - 5e-3, (family, t)
    if "--routers" in flags:
        routing = safetensors.read(os.path.join(folder, "expected", "routing.safetensors"))
        (L, _, K), experts = routing["prompt2.ids"]
        assert L == len(look["router"]), family
        for layer, router in enumerate(look["router"]):
            for t in range(T):
                want = experts[(layer * T + t) * K : (layer * T + t + 1) * K]
                assert sorted(router["chosen"][t]) == sorted(want), (family, layer, t)
    checked = subprocess.run([sys.executable, os.path.join(here, "look.py"), family + ".json", *([] if "--biased" in flags else ["--heads"]), *(f for f in flags if f != "--biased")], check=True,
                             capture_output=True, text=True)
    print(f"{family}: {checked.stdout.strip()}{' (refused: ' + attribution['refused'] + ')' if 'refused' in attribution else ''}")
