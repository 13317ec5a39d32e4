#!/usr/bin/env python3
"""Probes of an artifact on each target against those that the interpreter sees, and its logits against an artifact without them.

    probes.py PLAIN.xfm PROBED.xfm PROBED.mlir --ids-file FILE [--probes N] [--devices cpu,0]

A value may differ by 1e-4 of the largest of its probe: f32 against f64 through four blocks. Columns of a top may differ where two
values differ by no more than that.
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

parser = argparse.ArgumentParser()
for name in ("plain", "probed", "model"):
    parser.add_argument(name)
parser.add_argument("--ids-file", required=True)
parser.add_argument("--probes", type=int)
parser.add_argument("--devices", default="cpu,0")
options = parser.parse_args()
ids = open(options.ids_file).read().strip()
tokens = len(ids.split(","))


def run(*command):
    subprocess.run([*command, "--prompt-ids", ids], check=True)


run("xfmr-interpret", options.model, "-n", "0", "--ids", "--probe", "expected.safetensors")
expected = safetensors.read("expected.safetensors")
tops = {name for name in expected if name.endswith(".ids")}
assert options.probes in (None, len(expected) - len(tops)), sorted(expected)
for device in options.devices.split(","):
    run("xfmr-run", options.plain, "--device", device, "--logits", "plain.safetensors")
    run("xfmr-run", options.probed, "--device", device, "--logits", "logits.safetensors", "--probe", "probes.safetensors")
    plain, probed = (safetensors.read(name)["logits"] for name in ("plain.safetensors", "logits.safetensors"))
    assert plain[1].tobytes() == probed[1].tobytes(), "logits moved"
    found = safetensors.read("probes.safetensors")
    assert sorted(found) == sorted(expected), (sorted(found), sorted(expected))
    for name, (shape, values) in expected.items():
        assert found[name][0] == shape and shape[0] == tokens, (name, found[name][0], shape)
        if name in tops:
            sizes = expected[name[:-4]][1]
            largest, count = max(map(abs, sizes)), shape[1]
            for at, (one, other) in enumerate(zip(found[name][1], values)):
                row = range(at // count * count, at // count * count + count)
                near = any(i != at and abs(abs(sizes[i]) - abs(sizes[at])) <= 2e-4 * largest for i in row)
                assert one == other or near or at % count == count - 1, (device, name, at, one, other)
            assert sum(a == b for a, b in zip(found[name][1], values)) >= 0.95 * len(values), name
            continue
        largest = max(map(abs, values))
        assert largest > 1e-3, name
        difference = safetensors.largest_difference(found[name][1], values)
        assert difference <= 1e-4 * largest, (device, name, difference, largest)
    print(f"{'cpu' if device == 'cpu' else 'vulkan'}: {len(found) - len(tops)} probes of {tokens} tokens, logits equal")
