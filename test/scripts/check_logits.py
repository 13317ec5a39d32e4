#!/usr/bin/env python3
"""Compares the tensor `logits` of FOUND with a tensor of EXPECTED (both safetensors).

    check_logits.py FOUND EXPECTED [--name NAME] [--expected-name NAME] [--tolerance 2e-4]

Prints the largest absolute difference; exit status 1 if it is above the tolerance.
"""
import argparse
import sys

import safetensors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("found")
    parser.add_argument("expected")
    parser.add_argument("--name", default="logits", help="tensor of FOUND")
    parser.add_argument("--expected-name", default="logits", help="tensor of EXPECTED")
    parser.add_argument("--tolerance", type=float, default=2e-4)
    arguments = parser.parse_args()
    shape, values = safetensors.read(arguments.found)[arguments.name]
    expected_shape, expected = safetensors.read(arguments.expected)[arguments.expected_name]
    if shape != expected_shape:
        sys.exit(f"logits have shape {shape}, expected {expected_shape}")
    difference = safetensors.largest_difference(values, expected)
    print(f"logits {shape}: largest difference {difference:.3g}, tolerance {arguments.tolerance:g}")
    if not difference <= arguments.tolerance:
        sys.exit(f"logits differ by {difference:.6g}, more than {arguments.tolerance:g}")


if __name__ == "__main__":
    main()
