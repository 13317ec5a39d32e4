#!/usr/bin/env python3
"""run_pruned.py MODEL FOLDER PIPELINE…: cuts a model by each pipeline, compiles and runs what is left, and compares logits
with its interpretation (2e-4); where the pipeline has a twin that masks (xfmr-prune-X by xfmr-mask-X), that one interpreted
gives them too (1e-4), and they differ from those of the uncut model. OUT in a pipeline stands for a file of its own."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

IDS = "1,5,17,300,44,9,260,511,3,77,120,8"
model, folder, pipelines = sys.argv[1], sys.argv[2], sys.argv[3:]


def call(*command):
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}: {run.stderr.strip()}")


def logits(tool, path):
    out = path + ".logits.safetensors"
    call(tool, path, "--prompt-ids", IDS, "-n", "0", "--ids", "--logits", out)
    return safetensors.read(out)["logits"][1]


def apart(a, b):
    return safetensors.largest_difference(a, b) if len(a) == len(b) else float("inf")


os.makedirs(folder, exist_ok=True)
whole = os.path.join(folder, "whole.mlir")
call("xfmr-import", model, "-o", whole)
uncut = logits("xfmr-interpret", whole)
for number, pipeline in enumerate(pipelines):
    stem = os.path.join(folder, str(number))
    cut = pipeline.replace("OUT", f"out={stem}.safetensors")
    call("xfmr-opt", whole, f"--pass-pipeline=builtin.module({cut})", "-o", stem + ".mlir")
    interpreted = logits("xfmr-interpret", stem + ".mlir")
    call("xfmr-compile", stem + ".mlir", "--target=vulkan", "-o", stem + ".xfm")
    run = apart(logits("xfmr-run", stem + ".xfm"), interpreted)
    if not run <= 2e-4:
        sys.exit(f"{pipeline}: run and interpreted logits differ by {run}")
    masked = 0
    if "budget" not in pipeline:
        mask = cut.replace("xfmr-prune-", "xfmr-mask-").replace(f"{stem}.safetensors", f"{stem}.mask.safetensors")
        call("xfmr-opt", whole, f"--pass-pipeline=builtin.module({mask})", "-o", stem + ".mask.mlir")
        masked = apart(logits("xfmr-interpret", stem + ".mask.mlir"), interpreted)
        if not masked <= 1e-4:
            sys.exit(f"{pipeline}: masked and pruned logits differ by {masked}")
    if apart(uncut, interpreted) < 1e-2:
        sys.exit(f"{pipeline}: nothing was cut")
    print(f"{pipeline}: run {run:.1e}, masked {masked:.1e}")
print("ok")
