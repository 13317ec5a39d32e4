"""Prints how many numbers the weights of a model hold, counted over the text of its IR on standard input: every weight
or weight expression that an op on activations reads counts once, a stored tensor also where two values name it. Pruned
weights count as what is left of them."""
import re
import sys

scopes, total, named = [{}], 0, set()
for line in sys.stdin:
    text = line.strip()
    if text.startswith("}"):
        scopes.pop()
        continue
    defined = re.match(r"(%[\w$.-]+) = (xfmr\.weight\w*)", text)
    if defined:
        shape = re.findall(r"tensor<([\dx]+)x(?:f32|f16|bf16)>", text)[-1]
        size = 1
        for extent in shape.split("x"):
            size *= int(extent)
        stored = re.search(r'xfmr\.weight "([^"]+)"(?: from "([^"]+)")?', text)
        scopes[-1][defined.group(1)] = (size, stored and stored.groups())
        continue
    for name in re.findall(r"%[\w$.-]+", text.split("{")[0] if text.startswith("xfmr.model") else text):
        size, stored = scopes[-1].pop(name, (0, None))
        if stored not in named:
            total += size
        if stored:
            named.add(stored)
    if text.endswith("{"):
        scopes.append({})
print(total)
