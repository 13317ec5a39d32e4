#!/usr/bin/env python3
"""Times what runs a whole text through a model: xfmr-calibrate, xfmr-prune-ffn by obs to half the width, xfmr-compare.

    bench/offline/measure.py MODEL OTHER TEXT [--bin FOLDER]... [--width N] [--repeat N]

MODEL and OTHER are folders of one shape (xfmr-compare takes both), N the channels that obs leaves. With --bin given several times (an
older build, say) the builds take turns, so that a busy machine meets all of them. Prints the median of seconds on the clock and of
processor seconds, user and system, of all threads: on a machine that others use, half of the latter on two cores is what the
command would take there alone if it keeps both busy.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
parser.add_argument("other")
parser.add_argument("text")
parser.add_argument("--bin", action="append", help="folder of the tools (default build/release/bin); may be given again")
parser.add_argument("--width", type=int, default=1024)
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--only", action="append", choices=("calibrate", "obs", "compare"))
arguments = parser.parse_args()
builds = arguments.bin or [os.path.join(root, "build", "release", "bin")]


def run(command):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


with tempfile.TemporaryDirectory() as work:
    source = os.path.join(work, "model.mlir")
    run([os.path.join(builds[0], "xfmr-import"), arguments.model, "-o", source])
    text = arguments.text
    obs = f"width={arguments.width} method=obs text={text} out={work}/repaired.safetensors"
    commands = {
        "calibrate": ["xfmr-calibrate", arguments.model, "--text", text, "-o", os.path.join(work, "statistics.safetensors")],
        "obs": ["xfmr-opt", source, f"--xfmr-prune-ffn={obs}", "-o", os.path.join(work, "small.mlir")],
        "compare": ["xfmr-compare", arguments.model, arguments.other, "--text", text, "--json"],
    }
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {arguments.repeat}")
    for name, (tool, *rest) in commands.items():
        if arguments.only and name not in arguments.only:
            continue
        times = {build: [] for build in builds}
        for _ in range(arguments.repeat):
            for build in builds:
                times[build].append(run([os.path.join(build, tool), *rest]))
        for build, measured in times.items():
            clock, processor = (statistics.median(column) for column in zip(*measured))
            print(f"{name:10} {clock:7.1f} s on the clock {processor:7.1f} s of processors   {build}", flush=True)
