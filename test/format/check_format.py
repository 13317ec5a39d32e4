#!/usr/bin/env python3
"""check_format.py FOLDER: lines of sources are at most 140 columns wide (tests hold IR, which is wider), and no comment is
broken in the middle, as formatters leave it: a long line, a short one, then the sentence goes on.
"""
import os
import re
import sys

LIMIT, FOLDERS = 140, ("build", ".git", "Inputs")


def comment(line):
    return re.match(r"^(\s*)(///?) (\S.*)$", line)


def broken(lines, i):
    found = [comment(lines[j]) for j in (i - 1, i, i + 1)]
    if not all(found) or len({(m.group(1), m.group(2)) for m in found}) != 1:
        return False
    before, line, after = (m.group(3) for m in found)
    return (len(before) > 70 and len(line) < len(before) - 35 and not re.search(r"[.:;,)|]$", line)
            and re.match(r"[a-z]", after) is not None)


root, errors, count = sys.argv[1], [], 0
for folder, folders, files in os.walk(root):
    folders[:] = sorted(name for name in folders if name not in FOLDERS)
    for name in sorted(files):
        if not name.endswith((".cpp", ".h")):
            continue
        count += 1
        path = os.path.join(folder, name)
        where = os.path.relpath(path, root)
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        for i, line in enumerate(lines):
            if len(line) > LIMIT and not where.startswith("test/"):
                errors.append(f"{where}:{i + 1}: error: {len(line)} columns, expected at most {LIMIT}")
            if 0 < i < len(lines) - 1 and broken(lines, i):
                errors.append(f"{where}:{i + 1}: error: the comment is broken in the middle")
print("\n".join(errors) if errors else f"{count} files are as wide as they may be, comments whole")
sys.exit(bool(errors))
