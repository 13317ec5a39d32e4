#!/usr/bin/env python3
"""look_routing.py MOE EXPECTED: experts and weights of a look at the reference's prompts against those of its routing.safetensors, and the
entropy against that of the routers' logits as the reference interpreter computes them in f64."""
import json
import math
import os
import subprocess
import sys

from router_entropy import entropy
from same_routing import same_routing

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

model, expected = sys.argv[1:3]
prompts = json.load(open(os.path.join(expected, "prompts.json")))["prompts"]
routing = safetensors.read(os.path.join(expected, "routing.safetensors"))
subprocess.run(["xfmr-import", model, "-o", "model.mlir"], check=True)
subprocess.run(["xfmr-opt", "model.mlir", "--xfmr-insert-probes=what=router", "-o", "probed.mlir"], check=True)
tokens = 0
for number, prompt in enumerate(prompts):
    ids = ",".join(map(str, prompt["ids"]))
    if len(prompt["ids"]) < 2:
        continue
    command = ["xfmr-inspect", model, "--prompt-ids", ids, "--views", "router", "--json"]
    look = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    subprocess.run(["xfmr-interpret", "probed.mlir", "--prompt-ids", ids, "-n", "0", "--ids", "--probe", "logits.safetensors"], check=True)
    logits = safetensors.read("logits.safetensors")
    L, T, _ = same_routing(look, routing, number, number, rel_tol=1e-4, abs_tol=1e-5)
    tokens += T
    for layer, router in enumerate(look["router"]):
        (_, E), z = logits[f"router.{layer}"]
        mean = sum(entropy(z[t * E : (t + 1) * E]) for t in range(T)) / T
        assert math.isclose(router["entropy"][0], mean, rel_tol=1e-4), (number, layer, router["entropy"], mean)
print(f"{tokens} tokens of {L} layers: experts, weights, entropy")
