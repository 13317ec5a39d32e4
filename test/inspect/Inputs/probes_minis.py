#!/usr/bin/env python3
"""probes_minis.py MINIS: probes of a miniature of each kind on both targets, over two chunks: the interpreter's values, and logits that keep their bits."""
import json
import os
import subprocess
import sys

here, minis = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
# One of each kind: parallel blocks, norms before, behind and on both sides, windows, sinks, experts with and without a shared one,
# latent keys, 16-bit weights, an adapter.
FAMILIES = ["gpt2", "gpt-neox", "gemma2", "gemma3", "olmo2", "phi3", "gpt-oss", "phimoe", "qwen2-moe", "granite-moe", "deepseek-v3", "llama-bf16",
            "llama-lora"]
PROBES = "what=residual,attention,ffn,router,logits"


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


for family in FAMILIES:
    folder = os.path.join(minis, family)
    model = [folder] if family != "llama-lora" else [os.path.join(minis, "llama"), "--adapter", folder]
    ids = json.load(open(os.path.join(folder, "expected", "prompts.json")))["prompts"][2]["ids"]
    with open("ids", "w") as file:
        file.write(",".join(map(str, ids)))
    compiled = ["--chunk=16", "--max-context=64", "--kv=f32", "--levels=native"]
    run("xfmr-compile", *model, *compiled, "-o", "plain.xfm")
    run("xfmr-compile", *model, *compiled, f"--passes=xfmr-insert-probes{{{PROBES}}}", "-o", "probed.xfm")
    run("xfmr-import", *model, "-o", "model.mlir")
    run("xfmr-opt", "model.mlir", "--pass-pipeline=builtin.module(xfmr.model(xfmr-fold-lora,xfmr-insert-probes{%s}))" % PROBES, "-o", "probed.mlir")
    done = subprocess.run([sys.executable, os.path.join(here, "probes.py"), "plain.xfm", "probed.xfm", "probed.mlir", "--ids-file", "ids"],
                          check=True, capture_output=True, text=True)
    print(f"{family}: {'; '.join(done.stdout.splitlines())}")
