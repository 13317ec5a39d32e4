#!/usr/bin/env python3
"""What a user can be told is quoted in a test.

    check_quoted.py ROOT FOLDER...

A literal of several words in a C++ source of the folders is a message, or a part of one between values: all of it must occur
in some file under ROOT/test, beside patterns of FileCheck, which quote nothing. What no user sees is left out: assertions,
unreachable places, what a pattern says of not matching, raw strings, descriptions of options (those are listed in docs/reference).
A comment `untested: why`, on the line or the one above, says that no test can provoke a message.
Prints each literal that no test quotes and exits with 1; else prints how many it saw.
"""
import os
import re
import sys

LEAST = 10  # shorter ones stand between two values; the longest part of their message tells it from others
UNSEEN = ("assert", "static_assert", "llvm_unreachable", "notifyMatchFailure", "desc")
TOKEN = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<include>^[ \t]*#[^\n]*)|R"(?P<tag>\w*)\((?P<raw>.*?)\)(?P=tag)"|'
    r'"(?P<string>(?:[^"\\\n]|\\.)*)"|'
    r"(?P<char>'(?:[^'\\\n]|\\.)')|(?P<open>(?P<callee>\w*)\s*\()|(?P<close>\))|(?P<end>[;{}])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL | re.MULTILINE)
ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), text)


def literals(source):
    """(line, text) of each literal that a user can see; adjacent ones are one."""
    callees, pending, line = [], None, 1
    for token in TOKEN.finditer(source):
        kind = token.lastgroup
        if token.group("string") is not None:
            text = unescape(token.group("string"))
            if pending:
                pending[1] += text
            elif not any(callee in UNSEEN for callee in callees):
                pending = [line, text]
        elif kind not in ("space", "comment"):
            if pending:
                yield tuple(pending)
            pending = None
            if token.group("open"):
                callees.append(token.group("callee"))
            elif token.group("close") and callees:
                callees.pop()
        line += token.group(0).count("\n")
    if pending:
        yield tuple(pending)


def parts(text):
    """What of a literal must be quoted: its lines, without the places of values and what surrounds them."""
    for part in re.split(r"\n|\{\d(?::\w+)?\}|%[-+ #0-9.]*[a-z]+", text):
        part = re.sub(r"\s+", " ", part).strip()
        if len(part) >= LEAST and " " in part:
            yield part


def quoted(root):
    """The text of all tests as one string, without patterns."""
    texts = []
    for folder, folders, names in os.walk(os.path.join(root, "test")):
        folders[:] = [name for name in folders if name not in ("__pycache__", "quoted")]
        for name in names:
            if not name.endswith((".cpp", ".h", ".test", ".mlir", ".py")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            if name.endswith((".cpp", ".h")):
                text = re.sub(r'"\s*\n\s*"', "", text)
                text = re.sub(r'\\(["\\\'])', r"\1", text)
            else:
                text = re.sub(r"(expected-(?:error|remark|warning|note)[^{\n]*)\{\{(.*)\}\}", r"\1\0\2\0", text)
                text = re.sub(r"\{\{.*?\}\}", "\0", text)
            texts.append(re.sub(r"[ \t]+", " ", text))
    return "\n".join(texts)


def main(root, folders):
    tests, seen, errors = quoted(root), 0, []
    for top in folders:
        for folder, below, names in os.walk(os.path.join(root, top)):
            below.sort()
            for name in sorted(name for name in names if name.endswith((".cpp", ".h"))):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    source = file.read()
                lines = [""] + source.split("\n")
                for line, text in literals(source):
                    if "// untested: " in lines[line] + lines[line - 1]:
                        continue
                    for part in parts(text):
                        seen += 1
                        if part not in tests:
                            errors.append(f"{os.path.relpath(path, root)}:{line}: error: no test quotes '{part}'")
    print("\n".join(errors) if errors else f"{seen} messages are quoted")
    sys.exit(bool(errors))


main(sys.argv[1], sys.argv[2:])
