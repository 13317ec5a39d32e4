#!/usr/bin/env python3
"""Wrong command lines of every tool, as people type them: wrong.py FILE FOLDER [TOOL…]

FILE has a block a tool: a line "== TOOL", then pairs of lines: "STATUS arguments" and what is said, "…" for any text. Each command
runs in FOLDER; it must end with the status and say exactly this one line on standard error (after "TOOL: error: "), and nothing on
standard output. With --show instead of a check what is said is printed."""
import re
import shlex
import subprocess
import sys


def pattern_of(line):
    return re.compile(".*?".join(re.escape(part) for part in line.split("…")))


def main(path, folder, tools, show):
    tool, failed, counts = "", 0, {}
    lines = [line.rstrip("\n") for line in open(path, encoding="utf-8") if line.strip() and not line.startswith("# ")]
    at = 0
    while at < len(lines):
        if lines[at].startswith("== "):
            tool, at = lines[at][3:], at + 1
            continue
        status, _, arguments = lines[at].partition(" ")
        expected, at = lines[at + 1], at + 2
        if tools and tool not in tools:
            continue
        run = subprocess.run([tool] + shlex.split(arguments), cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                             timeout=120)
        said = run.stderr.rstrip("\n")
        head = tool + ": error: "
        if show:
            print(f"{run.returncode} {tool} {arguments}\n    {said[len(head):] if said.startswith(head) else 'NO HEAD: ' + said}")
            continue
        counts[tool] = counts.get(tool, 0) + 1
        if run.returncode != int(status) or run.stdout or not said.startswith(head) or not pattern_of(expected).fullmatch(said[len(head):]):
            failed += 1
            print(f"{tool} {arguments}\n  expected {status}: {expected}\n  got {run.returncode}: {said}\n{run.stdout[:200]}")
    if not show:
        print(", ".join(f"{tool} {count}" for tool, count in counts.items()))
        print(f"{failed} of {sum(counts.values())} fail")
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--show"]
    sys.exit(main(arguments[0], arguments[1], arguments[2:], "--show" in sys.argv))
