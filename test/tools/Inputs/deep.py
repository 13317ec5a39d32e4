"""IR of the bundled model with its blocks over and over, so that it has N layers: deep.py MODEL N OUT.mlir"""
import re
import subprocess
import sys

model, layers, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
text = subprocess.run(["xfmr-import", model], capture_output=True, text=True, check=True).stdout
lines = text.splitlines()
starts = [i for i, line in enumerate(lines) if re.search(r"= xfmr\.block \d+ ", line)]
indent = len(lines[starts[0]]) - len(lines[starts[0]].lstrip())
ends = [next(j for j in range(i + 1, len(lines)) if lines[j] == " " * indent + "}") for i in starts]
results = [re.match(r" *(%\S+) = xfmr\.block \d+ \((%\S+)\)", lines[i]) for i in starts]
first_in, last_out = results[0].group(2), results[-1].group(1)
made, value = [], first_in
for layer in range(layers):
    k = layer % len(starts)
    name = last_out if layer == layers - 1 else f"%deep{layer}"
    made.append(re.sub(r"%\S+ = xfmr\.block \d+ \(%\S+\)", f"{name} = xfmr.block {layer} ({value})", lines[starts[k]]))
    made += lines[starts[k] + 1:ends[k] + 1]
    value = name
with open(out, "w", encoding="utf-8") as file:
    file.write("\n".join(lines[:starts[0]] + made + lines[ends[-1] + 1:]) + "\n")
