#!/usr/bin/env python3
"""Compares the interpreted logits (of encoders the last hidden states) of two models on one prompt: same_logits.py A B [--tolerance 1e-5] [--ids 1,2,3]"""
import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs=2)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--ids", default="1,17,5,42,9,100,3,77")
    arguments = parser.parse_args()
    logits = []
    with tempfile.TemporaryDirectory() as scratch:
        for index, model in enumerate(arguments.models):
            path = os.path.join(scratch, f"{index}.safetensors")
            run = subprocess.run(["xfmr-interpret", model, "--prompt-ids", arguments.ids, "-n", "0", "--ids", "--logits", path],
                                 capture_output=True, text=True)
            if run.returncode != 0:
                sys.exit(f"{model}: {run.stderr.strip()}")
            found = safetensors.read(path)
            logits.append(found["logits"] if "logits" in found else found["hidden"])
    if logits[0][0] != logits[1][0]:
        sys.exit(f"shapes differ: {logits[0][0]} and {logits[1][0]}")
    difference = safetensors.largest_difference(logits[0][1], logits[1][1])
    largest = max(abs(value) for value in logits[0][1])
    print(f"logits {logits[0][0]}: largest {largest:.3g}, largest difference {difference:.3g}")
    if not difference <= arguments.tolerance or not largest > 0.1:
        sys.exit(f"more than {arguments.tolerance:g}, or no logits to speak of")
    print("ok")


if __name__ == "__main__":
    main()
