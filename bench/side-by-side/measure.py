#!/usr/bin/env python3
"""Two builds of xfmr-run against each other, on a machine that others use too.

    bench/side-by-side/measure.py OLD_RUN NEW_RUN OLD.xfm NEW.xfm [--pp 256] [--tg 64] [--rounds 5] [--repeat 2]
                                  [--run-args="--device cpu"] [--json]

Both sides run alternately in short processes, the first of a round changing from round to round. Printed are, for prefill
(pp) and generation (tg), medians over the rounds of new/old: of the speeds by wall clock, and of old/new CPU seconds (user
and system, of all threads). The second does not see who else had the machine, so believe it where the two differ. Each side
of a round runs twice, once with one repetition: the difference is free of loading and of compiling shaders.
Giving one binary twice compares artifacts; giving one artifact twice compares runtimes.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys


def run(binary, artifact, phase, n, repeat, more):
    """Tokens a second by the wall clock, and the CPU seconds of the whole process."""
    counts = {"pp": 0, "tg": 0, phase: n}
    command = [binary, artifact, "--bench", "--json", "--repeat", str(repeat), *more]
    for name, count in counts.items():
        command += ["--" + name, str(count)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    return json.loads(out)[phase]["tokens_per_s"]["median"], usage.ru_utime + usage.ru_stime


def measure(sides, phase, n, rounds, repeat, more):
    """Of every round the ratios new/old (wall clock) and old/new (CPU), and the speeds and seconds of each side."""
    speeds, seconds = ([], []), ([], [])
    for i in range(rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            _, once = run(*sides[side], phase, n, 1, more)
            speed, often = run(*sides[side], phase, n, 1 + repeat, more)
            speeds[side].append(speed)
            seconds[side].append((often - once) / repeat)
    return speeds, seconds


def summary(speeds, seconds):
    wall = [new / old for old, new in zip(*speeds)]
    cpu = [old / new for old, new in zip(*seconds) if old > 0 and new > 0]
    return {
        "old_tokens_per_s": statistics.median(speeds[0]),
        "new_tokens_per_s": statistics.median(speeds[1]),
        "wall": statistics.median(wall),
        "wall_spread": [min(wall), max(wall)],
        # An operation shorter than the clock of CPU time (it ticks in ms) leaves no ratio.
        "cpu": statistics.median(cpu) if cpu else None,
        "cpu_spread": [min(cpu), max(cpu)] if cpu else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("old_run", "new_run", "old_artifact", "new_artifact"):
        parser.add_argument(name)
    parser.add_argument("--pp", type=int, default=256, help="prompt tokens; 0 skips")
    parser.add_argument("--tg", type=int, default=64, help="generated tokens; 0 skips")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=2, help="measured repetitions of a process")
    parser.add_argument("--run-args", default="", help="more arguments of xfmr-run, in one word")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    sides = ((args.old_run, args.old_artifact), (args.new_run, args.new_artifact))
    results = {}
    for phase, n in (("pp", args.pp), ("tg", args.tg)):
        if not n:
            continue
        r = summary(*measure(sides, phase, n, args.rounds, args.repeat, args.run_args.split()))
        results[f"{phase}{n}"] = r
        if not args.json:
            cpu = "-" if r["cpu"] is None else "{:.3f} ({:.2f} to {:.2f})".format(r["cpu"], *r["cpu_spread"])
            print(
                f"{phase}{n:<5} old {r['old_tokens_per_s']:9.1f} new {r['new_tokens_per_s']:9.1f} tokens/s, new/old by "
                f"wall clock {r['wall']:.3f} ({r['wall_spread'][0]:.2f} to {r['wall_spread'][1]:.2f}), by CPU time {cpu}",
                flush=True,
            )
    if args.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
