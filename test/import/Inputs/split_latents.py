#!/usr/bin/env python3
"""Of a GGUF file of latent attention with keys and values in one tensor makes one as later writers have it: split_latents.py IN OUT.
attn_kv_b [heads * (nope + value), rank] becomes attn_k_b [heads, rank, nope] and attn_v_b [heads, value, rank]; latents are one head."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import gguf  # noqa: E402  (test/scripts)


def text(value):
    data = value.encode(errors="surrogateescape")
    return struct.pack("<Q", len(data)) + data


reader = gguf.Reader(sys.argv[1])
keys, values = {}, {}
for _ in range(reader.keys):
    key, begin = reader.text(), reader.at
    values[key] = reader.value(reader.take("I"))
    keys[key] = reader.data[begin:reader.at]
infos = [reader.info() for _ in range(reader.tensors)]
data = reader.data[(reader.at + 31) // 32 * 32:]
arch = "deepseek2."
heads, key, value = (values[arch + "attention." + name] for name in ("head_count", "key_length", "value_length"))
rank, rope = values[arch + "attention.kv_lora_rank"], values[arch + "rope.dimension_count"]
nope = key - rope
for name, number in (("key_length", rank + rope), ("value_length", rank), ("key_length_mla", key), ("value_length_mla", value),
                     ("head_count_kv", 1)):
    keys[arch + "attention." + name] = struct.pack("<II", 4, number)
tensors = []  # name, dimensions (fastest first), type, bytes
for index, (name, dims, kind, offset) in enumerate(infos):
    end = infos[index + 1][3] if index + 1 < len(infos) else len(data)
    if not name.endswith("attn_kv_b.weight"):
        tensors.append((name, dims, kind, data[offset:end]))
        continue
    floats = struct.unpack_from(f"<{heads * (nope + value) * rank}f", data, offset)
    row = lambda head, i: floats[(head * (nope + value) + i) * rank:][:rank]
    k = [row(head, i)[r] for head in range(heads) for r in range(rank) for i in range(nope)]
    v = [x for head in range(heads) for i in range(value) for x in row(head, nope + i)]
    tensors.append((name.replace("kv_b", "k_b"), [nope, rank, heads], 0, struct.pack(f"<{len(k)}f", *k)))
    tensors.append((name.replace("kv_b", "v_b"), [rank, value, heads], 0, struct.pack(f"<{len(v)}f", *v)))
head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(text(key) + value for key, value in keys.items())
body = b""
for name, dims, kind, payload in tensors:
    head += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", n) for n in dims) + struct.pack("<IQ", kind, len(body))
    body += payload + bytes(-len(payload) % 32)
with open(sys.argv[2], "wb") as file:
    file.write(head + bytes(-len(head) % 32) + body)
