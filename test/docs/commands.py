#!/usr/bin/env python3
"""Runs the command lines of a document as a reader would, and compares what they print with what the document shows.

    commands.py ROOT DOCUMENT WORK

Every ```console block of DOCUMENT counts: a line that begins with "$ " is a command (a shell runs it, so "# …" is a comment); what
follows up to the next command is what it shows. Commands of one document run one after the other in WORK, a folder made anew in
which every entry of ROOT appears by name, so that what they write stays out of the tree. Shown output is compared line by line
without the spaces around it; "…" stands for any text, a line of it for any lines. A command without shown output must only succeed.
Prints one line a command; exits with 1 if one failed.
"""
import os
import re
import shutil
import subprocess
import sys


def blocks(text):
    """[(command, [shown lines])] of all console blocks, in order."""
    found = []
    for body in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and found[-1][0].endswith("\\"):
                found[-1] = (found[-1][0][:-1] + line, found[-1][1])
            else:
                found[-1][1].append(line)
    return found


def pattern_of(shown):
    """A pattern for what is shown: `…` is any text, on a line of its own any lines."""
    while shown and not shown[-1].strip():
        shown = shown[:-1]
    parts = []
    for line in shown:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r" *" + r"[^\n]*".join(re.escape(piece) for piece in line.strip().split("…")) + r" *\n")
    return re.compile("".join(parts))


def main(root, document, work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for name in os.listdir(root):
        if not name.startswith("."):
            os.symlink(os.path.join(root, name), os.path.join(work, name))
    with open(os.path.join(root, document), encoding="utf-8") as file:
        commands = blocks(file.read())
    failed = 0
    for command, shown in commands:
        run = subprocess.run(command, shell=True, executable="/bin/bash", cwd=work, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C.UTF-8"))
        printed = run.stdout.decode("utf-8", "replace")
        if not printed.endswith("\n"):
            printed += "\n"
        problem = None
        if run.returncode:
            problem = f"exit status {run.returncode}"
        elif any(line.strip() for line in shown) and not pattern_of(shown).search(printed):
            problem = "prints something else than the document shows"
        print(("FAILED " if problem else "ok     ") + command)
        if problem:
            failed += 1
            print(f"  {problem}; it printed:\n" + "".join(f"    {line}\n" for line in printed.splitlines()[:40]))
    print(f"{document}: {len(commands) - failed} of {len(commands)} commands as shown")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
