"""fuse_experts.py IR CONFIG_FOLDER PARTS ROWS COLUMNS: three checkpoints of one mixture with random weights: a tensor for each expert,
all experts in one as [E, 2F, D] and [E, D, F], and as [E, D, 2F] and [E, F, D]. Names and shapes are those of the imported IR."""
import array
import json
import os
import random
import re
import shutil
import sys

ir, config, parts, rows, columns = sys.argv[1:]
with open(ir, encoding="utf-8") as file:
    found = re.findall(r'xfmr\.weight "([^"]+)" : tensor<([0-9x]+)xf32>', file.read())
tensors = {}
for name, shape in found:
    shape = [int(extent) for extent in shape.split("x")]
    count = 1
    for extent in shape:
        count *= extent
    source = random.Random(name)
    tensors[name] = (shape, [source.gauss(0, 0.5) for _ in range(count)])


def transposed(shape, values):
    r, c = shape
    return [values[i * c + j] for j in range(c) for i in range(r)]


def write(folder, tensors):
    os.makedirs(folder)
    shutil.copy(os.path.join(config, "config.json"), folder)
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        payload = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(payload)]}
        data += payload
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def fused(as_input):
    out = {name: tensor for name, tensor in tensors.items() if ".experts." not in name}
    prefixes = sorted({name.split(".experts.")[0] for name in tensors if ".experts." in name})
    for prefix in prefixes:
        count = 1 + max(int(name.split(".experts.")[1].split(".")[0]) for name in tensors if name.startswith(prefix + ".experts."))
        gate_up, down = [], []
        for expert in range(count):
            of = lambda name: tensors[f"{prefix}.experts.{expert}.{name}_proj.weight"]
            (f, d), gate = of("gate")
            both, last = gate + of("up")[1], of("down")[1]
            gate_up += transposed([2 * f, d], both) if as_input else both
            down += transposed([d, f], last) if as_input else last
        out[prefix + ".experts.gate_up_proj"] = ([count, d, 2 * f] if as_input else [count, 2 * f, d], gate_up)
        out[prefix + ".experts.down_proj"] = ([count, f, d] if as_input else [count, d, f], down)
    return out


write(parts, tensors)
write(rows, fused(False))
write(columns, fused(True))
