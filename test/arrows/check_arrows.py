#!/usr/bin/env python3
"""Includes follow the arrows of docs/Architecture.md.

    check_arrows.py ROOT

Reads the table of folders, then every #include of our own headers under ROOT. A file may include its own folder and
those its row names; the most exact row counts. `runtime/` includes neither MLIR nor LLVM. Prints each include
that breaks a rule and exits with 1; else prints how many it saw.
"""
import os
import re
import sys

ROW = re.compile(r"^\|([^|]*)\|[^|]*\|([^|]*)\|\s*$")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]')
SUFFIXES = (".h", ".hpp", ".c", ".cpp")


def read_table(path):
    """{folder: folders it may include, or None for all}"""
    arrows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = ROW.match(line)
            folders = re.findall(r"`([\w/]+?)/?`", row.group(1)) if row else []
            for folder in folders:
                cell = row.group(2)
                arrows[folder] = None if "everything" in cell else set(re.findall(r"`([\w/]+?)/?`", cell))
    return arrows


def row_of(path, arrows):
    """The most exact folder of the table that holds the path, or None."""
    parts = path.split("/")[:-1]
    while parts and "/".join(parts) not in arrows:
        parts.pop()
    return "/".join(parts) or None


def complaint(path, include, arrows):
    """What is wrong with an include, or None."""
    source, target = row_of(path, arrows), row_of(include, arrows)
    if source is None:
        return "lies in a folder that the table does not name"
    if source.split("/")[0] == "runtime" and include.split("/")[0] in ("mlir", "llvm", "lld"):
        return f"includes {include}: the runtime includes neither MLIR nor LLVM"
    if target is None or target == source or arrows[source] is None or target in arrows[source]:
        return None
    return f"includes {include}: the table has no arrow from {source} to {target}"


def main(root):
    arrows = read_table(os.path.join(root, "docs", "Architecture.md"))
    if not arrows:
        sys.exit("check_arrows.py: error: no table of folders in docs/Architecture.md")
    seen = broken = 0
    for top in sorted({folder.split("/")[0] for folder in arrows}):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(name for name in names if name.endswith(SUFFIXES)):
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root)
                with open(full, encoding="utf-8", errors="replace") as file:
                    for number, line in enumerate(file, 1):
                        match = INCLUDE.match(line)
                        if not match:
                            continue
                        seen += 1
                        wrong = complaint(path, match.group(1), arrows)
                        if wrong:
                            broken += 1
                            print(f"{path}:{number}: error: {wrong}")
    if broken:
        sys.exit(1)
    print(f"{seen} includes follow the arrows of {len(arrows)} folders")


main(sys.argv[1])
