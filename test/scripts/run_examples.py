#!/usr/bin/env python3
"""Every before ==> after of pass descriptions is what the pass does.

    run_examples.py FILE.td ... --work FOLDER

Wraps each side of a ```mlir block in a model: what it does not define becomes a weight (static types) or an input of the
block (token rows). Runs the pass, with the options after `// ==>`, on the first side, canonicalises both, and compares what
the results are made of: names and the order of ops do not count. Passes whose example cannot be run are in NOT_RUN with the
reason. Prints one line a pass; exits with 1 if one differs.
"""
import argparse
import re
import subprocess
import sys

from doc_examples import BLOCK, VALUE, operand_types, statements

NOT_RUN = {
    "xfmr-distill": "the weights come from what a teacher said",
    "xfmr-edit-ffn": "the factors come from a text",
    "xfmr-carve-moe": "the groups come from a text",
    "xfmr-merge-experts": "the groups come from a text",
    "xfmr-insert-probes": "a probe is no part of what a model gives",
    "xfmr-prune-budget": "the plan comes from a text",
}
PASS = re.compile(r"^def \w+ : \w*Pass<\"(xfmr-[\w-]+)\"(.*?)(?=^def |^class |\Z)", re.S | re.M)


def result_types(op):
    """Types of the results of one op as text."""
    head = re.split(r"\{\s*\n\s*\^", op)[0].rstrip().rstrip("{").rstrip()
    signature = head[head.rindex(" : ") + 3:]
    last = signature.split(" -> ")[-1].strip()
    types = re.findall(r"tensor<[^>]*>", last)
    return types if " -> " in signature else types[:1]


def parse(text):
    """(statements, {free value: type}, [(unused result, type)]) of one side."""
    ops, free, defined, used = statements(text), {}, {}, set()
    for op in ops:
        head = re.split(r"\n\s*\^", op)[0]
        left, _, right = head.partition(" = ")
        types = operand_types(head)
        for i, use in enumerate(VALUE.findall(right)):
            used.add(use)
            if use not in defined:
                free.setdefault(use, types[min(i, len(types) - 1)])
        for name, type in zip(VALUE.findall(left), result_types(op)):
            defined[name] = type
    return ops, free, [(name, type) for name, type in defined.items() if name not in used]


def wrap(text):
    """One side of an example as a model."""
    ops, free, results = parse(text)
    inputs = {name: type for name, type in free.items() if "?" in type}
    weights = {name: type for name, type in free.items() if "?" not in type}
    body = [f'    {name} = xfmr.weight "{name[1:]}" : {type}' for name, type in weights.items()] + ops
    width = re.search(r"\?x(\d+)x", next(iter(inputs.values()))).group(1)
    lines = []
    for name, type in inputs.items():
        columns = re.search(r"\?x(\d+)x", type).group(1)
        lines += [f'  %table_{name[1:]} = xfmr.weight "table.{name[1:]}" : tensor<8x{columns}xf32>',
                  f"  %in_{name[1:]} = xfmr.embedding %tokens, %table_{name[1:]}"
                  f" : (tensor<?xi32>, tensor<8x{columns}xf32>) -> {type}"]
    if any("xfmr.block" in op for op in ops):  # the example is about blocks themselves
        names = {name: "%in_" + name[1:] for name in inputs}
        lines += [re.sub("|".join(re.escape(name) + r"\b" for name in names), lambda m: names[m.group(0)], op) for op in ops]
        results = results[:1]
        hidden = results[0][0]
    else:
        types = ", ".join(type for _, type in results)
        lines.append(f"  %out:{len(results)} = xfmr.block 0 ({', '.join('%in_' + name[1:] for name in inputs)})"
                     f" : ({', '.join(inputs.values())}) -> ({types}) {{")
        lines.append(f"  ^bb0({', '.join(f'{name}: {type}' for name, type in inputs.items())}):")
        lines += body
        lines += [f"    xfmr.yield {', '.join(name for name, _ in results)} : {types}", "  }"]
        hidden = "%out#0"
    columns = re.search(r"\?x(\d+)x", results[0][1]).group(1)
    lines += [f'  %head = xfmr.weight "head" : tensor<8x{columns}xf32>',
              f"  %logits = xfmr.linear {hidden}, %head : ({results[0][1]}, tensor<8x{columns}xf32>) -> tensor<?x8xf32>",
              "  xfmr.yield %logits : tensor<?x8xf32>"]
    return (f"xfmr.model @example (%tokens: tensor<?xi32>) -> tensor<?x8xf32>\n"
            f'    config <architecture = "llama", hidden_size = {width}, vocab_size = 8, max_position = 16>\n'
            f'    sources {{base = "nowhere"}} {{\n' + "\n".join(lines) + "\n}\n")


def made_of(text):
    """What each region yields, with every value written out as what it is made of."""
    body = text[text.index("sources {"):].split("\n", 1)[1].rsplit("}", 1)[0]
    meaning = {}

    def expand(op, known):
        left, _, right = op.partition(" = ") if op.lstrip().startswith("%") else ("", "", op)
        head, *region = re.split(r"\{\s*\n(?=\s*\^)", right, maxsplit=1)
        inner = ""
        if region:
            first, rest = region[0].split("\n", 1)
            arguments = {name: f"arg{i}" for i, name in enumerate(re.findall(r"(%\w+):", first))}
            inner = " {" + re.sub(r"%\w+:", "", first) + walk(rest.rsplit("}", 1)[0], {**known, **arguments}) + "}"
        text = re.sub(r"%\w+(?:#\d+)?", lambda m: "(" + lookup(m.group(0), known) + ")", " ".join(head.split())) + inner
        for i, name in enumerate(re.findall(r"%\w+", left)):
            known[name] = text + f"[{i}]"
        return text

    def lookup(name, known):
        base, _, index = name.partition("#")
        return known.get(name) or known.get(base, base).rsplit("[", 1)[0] + f"[{index or 0}]"

    def walk(text, known):
        last = ""
        for op in statements(text):
            last = expand(op, known)
        return last

    return walk(body, meaning)


def opt(arguments, path):
    run = subprocess.run(["xfmr-opt", path, *arguments, "--canonicalize"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"run_examples.py: error: xfmr-opt {path} {' '.join(arguments)}:\n{run.stderr}")
    return run.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--work", required=True)
    arguments = parser.parse_args()
    broken = 0
    for path in arguments.files:
        with open(path, encoding="utf-8") as file:
            for flag, text in PASS.findall(file.read()):
                block = BLOCK.search(text)
                if flag in NOT_RUN:
                    print(f"{flag}: not run, {NOT_RUN[flag]}")
                if flag in NOT_RUN or not block:
                    continue
                before, options, after = re.match(r"(.*?)// ==>([^\n]*)\n(.*)", block.group(1), re.S).groups()
                options = options.strip()
                names = [f"{arguments.work}/{flag}.{side}.mlir" for side in ("before", "after")]
                for name, side in zip(names, (before, after)):
                    with open(name, "w", encoding="utf-8") as out:
                        out.write(wrap(side))
                found = opt([f"--{flag}" + (f"={options}" if options else "")], names[0])
                wanted = opt([], names[1])
                same, changed = made_of(found) == made_of(wanted), made_of(opt([], names[0])) != made_of(wanted)
                print(f"{flag}: {'as its example says' if same and changed else 'not as its example says'}")
                if not (same and changed):
                    broken = 1
                    print(f"found:\n{found}\nexpected:\n{wanted}")
    sys.exit(broken)


if __name__ == "__main__":
    main()
