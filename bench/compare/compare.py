#!/usr/bin/env python3
"""Races xfmr-run against llama-bench of llama.cpp, ik_llama.cpp or both, on the CPU.

    compare.py [--xfmr XFMR-RUN] --peer NAME=LLAMA-BENCH[ ARGS] … [-p 512] [-n 64] [-d 0] [-t 1,2] [--rounds 5] [--runs 2]
               [--json OUT.json] MODEL.xfm=MODEL.gguf …

Every pair is a model of the same weights for both. In a round each program runs every test once, one program after the other, so
that what else the machine does meets all alike; the order turns from round to round. A round's rate is the best of its runs:
other work only slows. Printed are medians over rounds, and the median of the ratios of each round, xfmr over the peer.

ARGS go to that llama-bench, e.g. "ik=…/llama-bench -rtr 1". -d is tokens in the cache before what is timed; a llama-bench without
-d (ik_llama.cpp's) measures generation there by its -gp, and no prompt.
"""
import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys

# What products are made of; in the order of what they need.
SETS = ["sse4_1", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16",
        "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve"]


def machine():
    """Name, instruction sets and cores of this CPU."""
    name, flags = platform.processor() or platform.machine(), set()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = set(value.split())
                break
    return {"cpu": name, "sets": [s for s in SETS if s in flags], "processors": len(os.sched_getaffinity(0))}


def run(command, folder=None):
    """The standard output of a command as JSON."""
    environment = dict(os.environ)
    if folder:  # its libraries and backends lie beside it
        environment["LD_LIBRARY_PATH"] = folder + ":" + environment.get("LD_LIBRARY_PATH", "")
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"compare.py: error: {command[0]} cannot be run: {error.strerror}; --xfmr and --peer take paths of programs")
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"compare.py: error: {shlex.join(command)} (exit status {done.returncode}) printed no JSON:\n"
                 f"{done.stdout[-500:]}{done.stderr[-1500:]}")


class Xfmr:
    name = "xfmr"

    def __init__(self, path):
        self.path = path

    def rates(self, pair, threads, args):
        found = run([self.path, pair[0], "--bench", "--json", "--device", "cpu", "--threads", str(threads), "--pp", str(args.p),
                     "--tg", str(args.n), "--repeat", str(args.runs)] + (["--depth", str(args.d)] if args.d else []))
        return {test: found[test]["tokens_per_s"]["max"] for test in ("pp", "tg") if test in found}


class Peer:
    def __init__(self, text):
        self.name, _, command = text.partition("=")
        words = shlex.split(command)
        if not words:
            sys.exit(f"compare.py: error: --peer takes NAME=LLAMA-BENCH, got '{text}'")
        self.path, self.args = os.path.abspath(words[0]), words[1:]
        if not os.access(self.path, os.X_OK):
            sys.exit(f"compare.py: error: '{self.path}' cannot be run")
        usage = subprocess.run([self.path, "-h"], capture_output=True, text=True, cwd=os.path.dirname(self.path),
                               env=dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(self.path)))
        self.has_depth = "--n-depth" in usage.stdout + usage.stderr

    def rates(self, pair, threads, args):
        what = ["-p", str(args.p), "-n", str(args.n)]
        if args.d and self.has_depth:
            what += ["-d", str(args.d)]
        elif args.d and not args.n:
            return {}
        elif args.d:
            what = ["-p", "0", "-n", "0", "-gp", f"{args.d},{args.n}"]
        found = run([self.path, "-m", os.path.abspath(pair[1]), "-t", str(threads), "-r", str(args.runs), "-o", "json"] + what +
                    self.args, os.path.dirname(self.path))
        return {"tg" if test["n_gen"] else "pp": max(test["samples_ts"]) for test in found}


def race(pair, threads, racers, args, progress):
    """{racer: {test: [rate of each round]}}"""
    rates = {racer.name: {} for racer in racers}
    for number in range(args.rounds):
        turn = number % len(racers)
        for racer in racers[turn:] + racers[:turn]:
            progress(f"{os.path.basename(pair[0])}, {threads} threads, round {number + 1} of {args.rounds}: {racer.name}")
            for test, rate in racer.rates(pair, threads, args).items():
                rates[racer.name].setdefault(test, []).append(rate)
    return rates


def rows_of(pair, threads, rates, args):
    rows = []
    for test, count in (("pp", args.p), ("tg", args.n)):
        ours = rates["xfmr"].get(test)
        if not ours:
            continue
        row = {"model": os.path.basename(pair[0]).removesuffix(".xfm"), "threads": threads, "test": f"{test}{count}", "depth": args.d,
               "xfmr": statistics.median(ours), "rounds": {name: found.get(test, []) for name, found in rates.items()}, "peers": {}}
        for name, found in rates.items():
            if name != "xfmr" and found.get(test):
                row["peers"][name] = {"rate": statistics.median(found[test]),
                                      "ratio": statistics.median(a / b for a, b in zip(ours, found[test]))}
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", metavar="MODEL.xfm=MODEL.gguf")
    parser.add_argument("--xfmr", default="xfmr-run")
    parser.add_argument("--peer", action="append", required=True, metavar="NAME=LLAMA-BENCH")
    parser.add_argument("-p", type=int, default=512, help="tokens of the prompt; 0 skips")
    parser.add_argument("-n", type=int, default=64, help="tokens to generate; 0 skips")
    parser.add_argument("-d", type=int, default=0, help="tokens in the cache before")
    parser.add_argument("-t", default="1", help="threads, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=2, help="of each test in a round")
    parser.add_argument("--json", metavar="OUT")
    args = parser.parse_args()
    pairs = [tuple(pair.split("=", 1)) for pair in args.pairs]
    for pair in pairs:
        if len(pair) != 2:
            sys.exit(f"compare.py: error: expected MODEL.xfm=MODEL.gguf, got '{pair[0]}'")
        for path in pair:
            if not os.path.exists(path):
                sys.exit(f"compare.py: error: there is no '{path}'")
    if args.p + args.n == 0 or args.rounds < 1 or args.runs < 1:
        sys.exit("compare.py: error: -p 0 and -n 0, or no rounds, leave nothing to measure")
    racers = [Xfmr(args.xfmr)] + [Peer(text) for text in args.peer]
    if len({racer.name for racer in racers}) < len(racers):
        sys.exit("compare.py: error: every --peer needs a name of its own, other than xfmr")
    progress = (lambda text: print("\r\x1b[K" + text, end="", file=sys.stderr, flush=True)) if sys.stderr.isatty() else lambda _: None

    about = machine()
    print(f"{about['cpu']}: {' '.join(about['sets'])}; {about['processors']} processors; "
          f"medians of {args.rounds} rounds, best of {args.runs} runs each")
    names = [racer.name for racer in racers[1:]]
    print(f"{'model':24} {'threads':>7} {'test':>8} {'depth':>6} {'xfmr':>10}" +
          "".join(f" {name:>14} {'ratio':>6}" for name in names), flush=True)
    rows = []
    for pair in pairs:
        for threads in [int(t) for t in args.t.split(",")]:
            for row in rows_of(pair, threads, race(pair, threads, racers, args, progress), args):
                rows.append(row)
                progress("")
                print(f"{row['model']:24} {threads:7} {row['test']:>8} {args.d:6} {row['xfmr']:10.1f}" +
                      "".join(f" {row['peers'][name]['rate']:14.1f} {row['peers'][name]['ratio']:6.2f}"
                              if name in row["peers"] else f" {'-':>14} {'-':>6}" for name in names), flush=True)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "rounds": args.rounds, "runs": args.runs, "results": rows}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
