#!/usr/bin/env python3
"""Runs the command lines of a document as a reader would, and compares what they print with what the document shows.

    commands.py ROOT DOCUMENT WORK
    commands.py ROOT --options

Every ```console block of DOCUMENT counts: a line that begins with "$ " is a command (a shell runs it, so "# …" is a comment); what
follows up to the next command is what it shows. Commands of one document run one after the other in WORK, a folder made anew in
which every entry of ROOT appears by name, so that what they write stays out of the tree. Shown output is compared line by line
without the spaces around it; "…" stands for any text, a line of it for any lines. A command without shown output must only succeed.
Every ```python block is run as a program after the commands. Prints one line a command; exits with 1 if one failed.

With --options every command of a tool that stands anywhere in README.md or docs/*.md, in a line or within backticks, must have only
options that the tool's --help lists.
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


def programs(text):
    """[(shell command, [])] of all Python blocks."""
    return [("python3 - <<'END'\n" + body + "END", []) for body in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)]


def check_options(root):
    """Options that documents name and tools do not have."""
    documents = ["README.md"] + sorted("docs/" + name for name in os.listdir(os.path.join(root, "docs")) if name.endswith(".md"))
    helps, named, wrong = {}, 0, 0
    for document in documents:
        with open(os.path.join(root, document), encoding="utf-8") as file:
            text = file.read().replace("\\\n", " ")
        commands = re.findall(r"`(xfmr-[^`\n]+)`", text) + re.findall(r"^(?:    |\$ )((?:[^`\n]*/)?xfmr-[^`\n]+)$", text, re.M)
        for command in commands:
            tool = re.match(r"(?:\S*/)?(xfmr-[a-z-]+)", command).group(1)
            if not shutil.which(tool):
                continue # the name of a pass
            if tool not in helps:
                hidden = ["--help-hidden"] if tool in ("xfmr-opt", "xfmr-reduce", "xfmr-lsp-server") else ["--help"]
                helps[tool] = subprocess.run([tool] + hidden, stdout=subprocess.PIPE, text=True).stdout
            command = re.split(r" \| | && | > |#", re.sub(r"'[^']*'|\"[^\"]*\"", "", command))[0]
            for option in re.findall(r"(?<=[ \[])--?[a-zA-Z][a-z-]*", command):
                named += 1
                if not re.search(r"(?<![a-z-])--?" + option.lstrip("-") + r"(?![a-z-])", helps[tool]):
                    wrong += 1
                    print(f"{document}: {tool} has no {option}: {command}")
    print(f"{named - wrong} of {named} options in {len(documents)} documents exist")
    return 1 if wrong else 0


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
    tracked = subprocess.run(["git", "-C", root, "ls-files"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    names = {name.split("/")[0] for name in tracked} | {"build"} if tracked else os.listdir(root) # what a fresh clone has
    for name in sorted(names):
        if not name.startswith("."):
            os.symlink(os.path.join(root, name), os.path.join(work, name))
    with open(os.path.join(root, document), encoding="utf-8") as file:
        text = file.read()
    commands = blocks(text) + programs(text)
    library = os.path.join(os.path.dirname(os.path.dirname(shutil.which("xfmr-run"))), "runtime", "libxfmr.so")
    environment = dict(os.environ, LC_ALL="C.UTF-8", PYTHONPATH=os.path.join(root, "python"), XFMR_LIBRARY=library)
    failed = 0
    for command, shown in commands:
        preload = os.environ.get("XFMR_PRELOAD") if command.startswith("python3 ") else None # see lit.cfg.py
        run = subprocess.run(command, shell=True, executable="/bin/bash", cwd=work, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=dict(environment, LD_PRELOAD=preload) if preload else environment)
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
    if sys.argv[2:] == ["--options"]:
        sys.exit(check_options(sys.argv[1]))
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
