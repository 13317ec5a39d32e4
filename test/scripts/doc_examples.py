#!/usr/bin/env python3
"""Every example of the documentation, as MLIR that xfmr-opt parses.

    doc_examples.py FILE.td|FILE.md ... -o OUT.mlir

Takes each ```mlir block of the files. A block that is whole (it starts with xfmr.model, module or func) stays as it
is; any other gets a function around it whose arguments are the values it uses and does not define. The types
of those come from the block itself: from the functional or plain type list of the op that uses them. Text after
"// ==> options" is a second example. Output is for --split-input-file. Fails when a file names no example.
"""
import argparse
import re
import sys

BLOCK = re.compile(r"```mlir\n(.*?)```", re.S)
VALUE = re.compile(r"%[A-Za-z_][\w]*(?:#\d+)?")


def split_types(text):
    """The types of a comma-separated list, commas inside <> and () not counted."""
    types, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "<([{") - (c in ">)]}" and text[i - 1] != "-")
        if c == "," and depth == 0:
            types.append(text[start:i].strip())
            start = i + 1
    return [t for t in types + [text[start:].strip()] if t]


def operand_types(op):
    """Types of the operands of one op as text, in order; fewer than operands when one type serves all."""
    signature = op[op.rindex(" : ") + 3:] if " : " in op else ""
    signature = re.sub(r"\{\s*$", "", signature).strip()
    if signature.startswith("("):
        depth = 0
        for i, c in enumerate(signature):
            depth += (c == "(") - (c == ")")
            if depth == 0:
                return split_types(signature[1:i])
    return split_types(signature.split(" -> ")[0])


def statements(text):
    """Ops at the outer level, each with the regions it has."""
    found, depth, current = [], 0, []
    for line in text.splitlines():
        code = line.split("//")[0].rstrip()
        if not code.strip():
            continue
        starts = depth == 0 and re.match(r"\s*(%|xfmr\.)", code) and not code.lstrip().startswith(":")
        if starts and current:
            found.append("\n".join(current))
            current = []
        current.append(code)
        depth += code.count("{") - code.count("}")
    return found + (["\n".join(current)] if current else [])


def wrap(text, number):
    if re.match(r"\s*(xfmr\.model|module|func\.func|xfmr\.program)", text):
        return text
    defined, arguments = set(), {}
    for op in statements(text):
        head = re.split(r"\n\s*\^", op)[0]  # without regions, which see nothing from outside
        left, _, right = head.partition(" = ") if head.lstrip().startswith("%") else ("", "", head)
        uses, types = VALUE.findall(right), operand_types(head)
        for i, use in enumerate(uses):
            if use not in defined and use not in arguments:
                if not types:
                    sys.exit(f"example {number}: no type for {use} in: {op}")
                arguments[use] = types[min(i, len(types) - 1)]
        defined.update(VALUE.findall(left))
    signature = ", ".join(f"{name}: {type}" for name, type in arguments.items())
    return f"func.func @example_{number}({signature}) {{\n{text.rstrip()}\n  return\n}}\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("-o", required=True)
    arguments = parser.parse_args()
    examples = []
    for path in arguments.files:
        with open(path, encoding="utf-8") as file:
            blocks = BLOCK.findall(file.read())
        if not blocks:
            sys.exit(f"doc_examples.py: error: no ```mlir example in {path}")
        for block in blocks:
            examples += [part for part in re.split(r"// ==>.*", block) if part.strip()]
    with open(arguments.o, "w", encoding="utf-8") as out:
        out.write("// -----\n".join(wrap(text, i) for i, text in enumerate(examples)))
    print(f"{len(examples)} examples of {len(arguments.files)} files")


if __name__ == "__main__":
    main()
