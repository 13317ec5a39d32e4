"""Generated ids against the witness's logits of the whole sequence:
check_sampling.py penalty P _ LOGITS PROMPT-IDS IDS-FILE    or    check_sampling.py minp P TEMPERATURE LOGITS PROMPT-IDS IDS-FILE"""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
from safetensors import read

kind, value, temperature, path, prompt, ids = sys.argv[1:]
value, temperature = float(value), float(temperature)
prompt = [int(i) for i in prompt.split(",")]
ids = [int(i) for i in open(ids).read().split()]
(_, vocab), logits = read(path)["logits"]
other = 0
for i, chosen in enumerate(ids):
    at = (len(prompt) + i - 1) * vocab
    row = list(logits[at:at + vocab])
    best = max(range(len(row)), key=lambda v: (row[v], -v))
    if kind == "penalty":
        for seen in set(prompt + ids[:i]):
            row[seen] = row[seen] / value if row[seen] > 0 else row[seen] * value
        largest = max(range(len(row)), key=lambda v: (row[v], -v))
        assert chosen == largest or row[largest] - row[chosen] < 1e-3, (i, chosen, largest)
    else:
        share = math.exp((row[chosen] - row[best]) / temperature)
        assert share > value * 0.999, (i, chosen, share)
    other += chosen != best
print(f"{len(ids)} ids, each", f"the largest penalised logit; {other} of them another one without" if kind == "penalty"
      else f"at least {value:g} as likely as the likeliest; {other} of them not the likeliest")
