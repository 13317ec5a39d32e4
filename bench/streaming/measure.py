#!/usr/bin/env python3
"""How much memory the compiler and the exporter need beside the mapped checkpoint: measure.py BIN WORK [--gigabytes 2]

Writes a synthetic bf16 Llama checkpoint into WORK, then compiles, prunes and exports it with the tools in BIN and samples
/proc/PID/status: anonymous memory is what a tool holds itself, file memory is the mapped checkpoint, which the system
may drop at any time. Exit status 1 if a tool holds more than --limit megabytes.
"""
import argparse
import json
import os
import subprocess
import sys
import time


def write_checkpoint(folder, gigabytes):
    d, f, vocab, heads, kv = 2048, 8192, 32000, 16, 8
    layer = 2 * d * d + 2 * d * d * kv // heads + 3 * d * f
    layers = max(1, round((gigabytes * 1e9 / 2 - 2 * vocab * d) / layer))
    script = os.path.join(os.path.dirname(__file__), "..", "checkpoint", "make_llama.py")
    sizes = {"hidden": d, "ffn": f, "layers": layers, "heads": heads, "kv-heads": kv, "vocab": vocab}
    options = [word for name, value in sizes.items() for word in ("--" + name, str(value))]
    subprocess.run([sys.executable, script, folder, "--dtype", "BF16", *options], check=True)


def as_granite(model, folder):
    """The same tensors under a family that only its importer knows how to write."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(model, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config | {"model_type": "granite"}, file)
    link = os.path.join(folder, "model.safetensors")
    if not os.path.exists(link):
        os.link(os.path.join(model, "model.safetensors"), link)


def measure(command):
    """(seconds, peak anonymous MB, peak MB with mapped files)"""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "XFMR_OBJECT_CACHE": "0"})
    anonymous = resident = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
            anonymous = max(anonymous, int(fields["RssAnon"].split()[0]))
            resident = max(resident, int(fields["VmHWM"].split()[0]))
        except (KeyError, ProcessLookupError, FileNotFoundError):
            pass  # it has just ended
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(f"status {process.returncode} of {' '.join(command)}")
    return time.monotonic() - start, anonymous / 1000, resident / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin")
    parser.add_argument("work")
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--limit", type=float, default=300, help="megabytes of anonymous memory")
    arguments = parser.parse_args()
    model, out = os.path.join(arguments.work, "model"), os.path.join(arguments.work, "out")
    if not os.path.exists(os.path.join(model, "model.safetensors")):
        write_checkpoint(model, arguments.gigabytes)
    granite = os.path.join(arguments.work, "granite")
    as_granite(model, granite)
    size = os.path.getsize(os.path.join(model, "model.safetensors"))
    print(f"checkpoint of {size / 1e9:.2f} GB, bf16")
    tool = lambda name: os.path.join(arguments.bin, name)
    prune = "--passes=xfmr-prune-heads{heads=8},xfmr-prune-ffn{width=4096}"
    over = False
    for title, command in [
        ("compile", [tool("xfmr-compile"), model, "--target=vulkan", "--max-context=512", "-o", out + ".xfm"]),
        ("compile, pruned", [tool("xfmr-compile"), model, "--target=vulkan", "--max-context=512", prune, "-o", out + ".xfm"]),
        ("export to a folder", [tool("xfmr-export"), model, "--format=hf", "-o", out]),
        ("export, pruned", [tool("xfmr-export"), model, "--format=hf", prune, "-o", out]),
        ("granite, pruned", [tool("xfmr-export"), granite, "--format=hf", prune, "-o", out]),
        ("export to gguf q8_0", [tool("xfmr-export"), model, "--format=gguf", "--type=q8_0", "-o", out + ".gguf"]),
    ]:
        subprocess.run(["rm", "-rf", out, out + ".xfm", out + ".gguf"], check=True)
        seconds, anonymous, resident = measure(command)
        over |= anonymous > arguments.limit
        print(f"{title:20} {seconds:6.1f} s   own memory {anonymous:6.0f} MB   with mapped input {resident:6.0f} MB")
    subprocess.run(["rm", "-rf", out, out + ".xfm", out + ".gguf"], check=True)
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
