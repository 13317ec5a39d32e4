#!/usr/bin/env python3
"""What a Vulkan device makes of xfmr, in one command and a few minutes: whether it is right, and how fast.

    bench/gpu/measure.py [--bin build/release/bin] [--device 0] [--size large|small|tiny] [--llama LLAMA-BENCH] [--seconds 340]
                         [--work FOLDER] [--json OUT.json] [--bandwidth GB/S] [--peak TFLOP/S]

1. Every bundled model generates exactly the ids of its expected/ folder on the device.
2. Models of random f16 weights are made on the spot, compiled and measured: prefill of 512 tokens, generation of 64, and the time
   of each kernel by the device's clock. large: dense of 1B and 8B and a mixture of 8 x 1B, some 32 GB of disk; small: dense of 100M
   and a mixture of 200M, for software drivers (64 tokens and 8). tiny: to see that all of this works.
3. With --llama, a llama-bench of llama.cpp's Vulkan build measures the same weights as GGUF, beside each.

--bandwidth and --peak are what the card can do at best, by its data sheet or another program; shares of them are printed then.
What does not fit into --seconds is left out and named. Prints a table; OUT.json has all of it. Exit status 1: something was wrong.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# name: (arguments of make_llama.py, gigabytes of disk, seconds that it takes at least on a fast machine)
LARGE = {
    "dense-1b": ("--hidden 2048 --ffn 8192 --layers 16 --heads 32 --kv-heads 8 --vocab 32000", 2.3, 20),
    "dense-8b": ("--hidden 4096 --ffn 14336 --layers 32 --heads 32 --kv-heads 8 --vocab 32000", 15, 60),
    "moe-8x1b": ("--hidden 2048 --ffn 8192 --layers 16 --heads 32 --kv-heads 8 --vocab 32000 --experts 8", 13.3, 60),
}
TINY = {
    "dense-tiny": ("--hidden 128 --ffn 256 --layers 2 --heads 4 --vocab 512", 0.01, 1),
    "moe-tiny": ("--hidden 128 --ffn 128 --layers 2 --heads 4 --vocab 512 --experts 4", 0.01, 1),
}
SMALL = {
    "dense-100m": ("--vocab 16000", 0.2, 5),
    "moe-200m": ("--hidden 768 --ffn 1024 --layers 8 --vocab 16000 --experts 8", 0.4, 5),
}


class Failed(Exception):
    pass


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


class Bench:
    def __init__(self, args):
        self.args = args
        self.end = time.monotonic() + args.seconds
        self.result = {"device": self.device(), "exact": [], "models": [], "left_out": [], "failed": []}

    def tool(self, name):
        return os.path.join(self.args.bin, name)

    def left(self):
        return self.end - time.monotonic()

    def device(self):
        devices = json.loads(run([self.tool("xfmr-run"), "--list-devices", "--json"]))
        for device in devices:
            if device["device"] == self.args.device:
                return device
        raise Failed(f"there is no Vulkan device {self.args.device}; found " + ", ".join(d["device"] for d in devices))

    # --- 1: right? ---

    def exact(self, folder, work):
        model = os.path.join(work, "exact.xfm")
        run([self.tool("xfmr-compile"), folder, "--target=vulkan", "-o", model])
        with open(os.path.join(folder, "expected", "prompts.json"), encoding="utf-8") as file:
            prompts = json.load(file)["prompts"]
        equal = 0
        for prompt in prompts:
            words = run([self.tool("xfmr-run"), model, "--device", self.args.device, "--ids", "--ignore-eos", "--prompt-ids",
                         ",".join(map(str, prompt["ids"])), "-n", str(len(prompt["greedy_ids"]))]).split()
            equal += [int(word) for word in words] == prompt["greedy_ids"]
        found = {"model": os.path.basename(folder), "prompts": len(prompts), "equal": equal}
        self.result["exact"].append(found)
        print(f"exact ids: {found['model']}: {equal} of {len(prompts)} prompts", flush=True)
        if equal < len(prompts):
            self.result["failed"].append(f"{found['model']}: {len(prompts) - equal} prompts give other ids than expected")

    # --- 2, 3: how fast? ---

    def model(self, name, arguments, work):
        checkpoint, artifact = os.path.join(work, name), os.path.join(work, name + ".xfm")
        maker = os.path.join(ROOT, "bench", "checkpoint", "make_llama.py")
        run([sys.executable, maker, checkpoint, *arguments.split(), "--dtype", "F16", "--tokenizer"])
        run([self.tool("xfmr-compile"), checkpoint, "--target=vulkan", "-o", artifact])
        found = {"model": name, **self.rates(artifact)}
        if self.args.llama:
            gguf = os.path.join(work, name + ".gguf")
            os.remove(artifact)
            run([self.tool("xfmr-export"), checkpoint, "--format=gguf", "-o", gguf])
            try:
                found["llama"] = self.peer(gguf)
            except Failed as failure:
                found["llama"] = {"failed": str(failure)}
        self.result["models"].append(found)
        self.show(found)

    def rates(self, artifact):
        base = [self.tool("xfmr-run"), artifact, "--device", self.args.device, "--bench", "--json", "--pp", str(self.args.pp),
                "--tg", str(self.args.tg)]
        plain = json.loads(run(base + ["--repeat", "3"]))
        watched = json.loads(run(base + ["--repeat", "1", "--profile"]))
        return {"pp": plain["pp"]["tokens_per_s"]["median"], "tg": plain["tg"]["tokens_per_s"]["median"],
                "profile": watched["profile"]}

    def peer(self, gguf):
        path = os.path.abspath(self.args.llama)
        folder = os.path.dirname(path)
        # The same device; without this llama.cpp passes over software ones.
        environment = dict(os.environ, GGML_VK_VISIBLE_DEVICES=self.args.device,
                           LD_LIBRARY_PATH=folder + ":" + os.environ.get("LD_LIBRARY_PATH", ""))
        tests = json.loads(run([path, "-m", os.path.abspath(gguf), "-p", str(self.args.pp), "-n", str(self.args.tg), "-r", "3",
                                "-ngl", "99", "-o", "json"], cwd=folder, env=environment))
        found = {"tg" if test["n_gen"] else "pp": test["avg_ts"] for test in tests}
        if not tests[0].get("gpu_info"):
            raise Failed("llama-bench found no Vulkan device")
        return {**found, "device": tests[0]["gpu_info"]}

    def show(self, found):
        llama = found.get("llama", {})
        for phase, count in (("pp", self.args.pp), ("tg", self.args.tg)):
            other = f"   llama.cpp {llama[phase]:10.1f}, ratio {found[phase] / llama[phase]:.2f}" if phase in llama else ""
            print(f"{found['model']:12} {phase}{count:<5} {found[phase]:10.1f} tokens/s{other}")
        if "failed" in llama:
            print(f"{found['model']:12} llama.cpp: {llama['failed']}")
        for phase in ("prompt", "generation"):
            watched = found["profile"][phase]
            whole = sum(kernel["seconds"] for kernel in watched["kernels"])
            for kernel in watched["kernels"]:
                seconds = kernel["seconds"]
                if seconds < 0.02 * whole and self.args.size != "tiny":
                    continue
                flops, memory = kernel["operations"] / seconds, (kernel["weight_bytes"] + kernel["cache_bytes"]) / seconds
                shares = [f"{100 * got / limit:.0f} % of {what}" for got, limit, what in
                          ((memory, self.args.bandwidth * 1e9, "bandwidth"), (flops, self.args.peak * 1e12, "peak")) if limit]
                print(f"  {phase:10} {100 * seconds / whole:5.1f} % {1e3 * seconds / kernel['calls']:9.3f} ms {memory / 1e9:8.1f} GB/s "
                      f"{flops / 1e12:8.3f} TFLOP/s  {kernel['kernel']}{'  ' if shares else ''}{', '.join(shares)}")
        sys.stdout.flush()

    def all(self):
        device = self.result["device"]
        print(f"{device['name']} ({device['kind']}): {device['offers']}", flush=True)
        bundled = os.path.join(ROOT, "models")
        with tempfile.TemporaryDirectory(dir=self.args.work) as work:
            for name in sorted(os.listdir(bundled)):
                if os.path.exists(os.path.join(bundled, name, "expected", "prompts.json")):
                    self.attempt(f"exact ids of {name}", lambda: self.exact(os.path.join(bundled, name), work))
        for name, (arguments, gigabytes, seconds) in {"large": LARGE, "small": SMALL, "tiny": TINY}[self.args.size].items():
            with tempfile.TemporaryDirectory(dir=self.args.work) as work:
                free, need = shutil.disk_usage(work).free / 1e9, 2 * gigabytes
                if self.left() < seconds or free < need:
                    why = f"{self.left():.0f} s are left" if self.left() < seconds else f"{free:.0f} GB of disk, {need:.0f} needed"
                    self.result["left_out"].append(f"{name}: {why}")
                    print(f"left out: {name}: {why}", flush=True)
                else:
                    self.attempt(name, lambda: self.model(name, arguments, work))

    def attempt(self, what, step):
        try:
            step()
        except Failed as failure:
            self.result["failed"].append(f"{what}: {failure}")
            print(f"FAILED: {what}: {failure}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"), help="folder of the tools")
    parser.add_argument("--device", default="0", help="number of xfmr-run --list-devices")
    parser.add_argument("--size", choices=["large", "small", "tiny"], default="large")
    parser.add_argument("--llama", metavar="LLAMA-BENCH", help="of llama.cpp's Vulkan build")
    parser.add_argument("--seconds", type=float, default=340, help="begin nothing that would end later")
    parser.add_argument("--work", help="folder for the models made (default: the system's)")
    parser.add_argument("--bandwidth", type=float, default=0, help="of the card's memory, GB/s")
    parser.add_argument("--peak", type=float, default=0, help="of f16 products, TFLOP/s")
    parser.add_argument("--json", metavar="OUT")
    args = parser.parse_args()
    args.pp, args.tg = (512, 64) if args.size == "large" else (64, 8)
    try:
        bench = Bench(args)
    except (Failed, OSError) as failure:
        sys.exit(f"measure.py: error: {failure}")
    bench.all()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(bench.result, file, indent=1)
            file.write("\n")
    sys.exit(1 if bench.result["failed"] else 0)


if __name__ == "__main__":
    main()
