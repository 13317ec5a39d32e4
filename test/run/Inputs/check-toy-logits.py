"""Compares a logits file with the toy's rule: check-toy-logits.py FILE IDS"""
import json, struct, sys

data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
tensor = json.loads(data[8 : 8 + length])["logits"]
assert tensor["dtype"] == "F32"
found = struct.unpack("<%df" % ((len(data) - 8 - length) // 4), data[8 + length :])
total, expected = 3, []
for token in map(int, sys.argv[2].split(",")):
    total += token
    for v in range(16):
        value = 1.0 if v == total % 16 else -0.01 * v
        expected.append(struct.unpack("<f", struct.pack("<f", value))[0])
worst = max(abs(a - b) for a, b in zip(found, expected))
print("shape", tensor["shape"], "equal" if worst < 1e-7 and len(found) == len(expected) else "differs")
