#!/usr/bin/env python3
"""Rounds a model of the shape of an 8B Llama and runs it: quantised.py BIN WORK [--layers 32] [--scheme int4] [--threads 2]

Writes a bf16 checkpoint of random weights into WORK (16 GB with 32 layers), tensor by tensor, compiles it for the CPU with the
matrices of its blocks rounded by search, removes it, and generates some tokens. Memory is sampled as
measure.py does it: anonymous memory is what a program holds itself, behind mapped files. Exit status 1 if compiling takes more
than --limit megabytes of that.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

from measure import measure

SIZES = {"hidden": 4096, "ffn": 14336, "heads": 32, "kv-heads": 8, "vocab": 128256, "context": 8192}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin")
    parser.add_argument("work")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--scheme", default="int4")
    parser.add_argument("--tables", default="none", help="scheme of embedding table and head")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--limit", type=float, default=1000, help="megabytes of anonymous memory while compiling")
    parser.add_argument("--keep", action="store_true", help="leave the checkpoint and the artifact")
    arguments = parser.parse_args()
    model, artifact = os.path.join(arguments.work, "model"), os.path.join(arguments.work, "model.xfm")
    if not os.path.exists(os.path.join(model, "model.safetensors")):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checkpoint", "make_llama.py")
        words = [word for name, value in SIZES.items() for word in ("--" + name, str(value))]
        subprocess.run([sys.executable, script, model, "--dtype", "BF16", "--layers", str(arguments.layers), *words], check=True)
    tool = lambda name: os.path.join(arguments.bin, name)
    passes = "--passes=xfmr-quantize{scheme=%s method=search embeddings=%s head=%s}" % (arguments.scheme, arguments.tables, arguments.tables)
    seconds, anonymous, resident = measure([tool("xfmr-compile"), model, "--target=cpu", "--max-context=512", passes, "-o", artifact])
    print(f"compile: {seconds:.0f} s, own memory {anonymous:.0f} MB, with mapped input {resident:.0f} MB; "
          f"an artifact of {os.path.getsize(artifact) / 1e9:.2f} GB")
    if not arguments.keep:
        shutil.rmtree(model)
    run = [tool("xfmr-run"), artifact, "--device", "cpu", "--threads", str(arguments.threads), "--bench", "--pp", "0", "--tg",
           str(arguments.tokens), "--repeat", "1", "--json"]
    _, held, _ = measure(run)
    done = json.loads(subprocess.run(run, stdout=subprocess.PIPE, check=True).stdout)
    print(f"generation with {arguments.threads} threads: own memory {held:.0f} MB, {json.dumps(done)}")
    if not arguments.keep:
        os.remove(artifact)
    sys.exit(1 if anonymous > arguments.limit else 0)


if __name__ == "__main__":
    main()
