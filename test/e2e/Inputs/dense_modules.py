"""dense_modules.py FOLDER: makes of a miniature of an encoder a folder of sentence-transformers: mean pooling, a Dense module from 32 to 20
with Tanh and a bias, one from 20 to 12 without either, and vectors of length 1."""
import json
import os
import random
import struct
import sys

folder = sys.argv[1]
TYPES = "sentence_transformers.models."


def write(name, value):
    os.makedirs(os.path.dirname(os.path.join(folder, name)) or ".", exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file)


def write_dense(name, width, rows, activation, bias):
    write(f"{name}/config.json", {"in_features": width, "out_features": rows, "bias": bias,
                                  "activation_function": "torch.nn.modules." + activation})
    source = random.Random(name)
    shapes = {"linear.weight": [rows, width]} | ({"linear.bias": [rows]} if bias else {})
    header, data = {}, b""
    for tensor, shape in shapes.items():
        count = rows * (width if len(shape) == 2 else 1)
        numbers = struct.pack(f"<{count}f", *(source.gauss(0, 0.3) for _ in range(count)))
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, name, "model.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


write("modules.json", [{"idx": i, "name": str(i), "path": path, "type": TYPES + kind} for i, (path, kind) in enumerate(
    [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Dense", "Dense"), ("4_Normalize", "Normalize")])])
write("1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
write_dense("2_Dense", 32, 20, "activation.Tanh", True)
write_dense("3_Dense", 20, 12, "linear.Identity", False)
