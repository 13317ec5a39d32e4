"""GGUF files with one thing wrong: what xfmr-import answers. refused_gguf.py FOLDER"""
import os
import struct
import subprocess
import sys

U32, F32, BOOL, TEXT, LIST = 4, 6, 7, 8, 9
Q8_0 = 8  # a type of tensors


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value_of(value):
    """Its type and bytes."""
    if isinstance(value, bool):
        return BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return U32, struct.pack("<I", value)
    if isinstance(value, float):
        return F32, struct.pack("<f", value)
    if isinstance(value, str):
        return TEXT, text(value)
    return LIST, struct.pack("<IQ", U32, len(value)) + b"".join(struct.pack("<I", entry) for entry in value)


def gguf(keys, tensors):
    """Tensors: name -> shape, values; F32, or blocks of Q8_0 as bytes."""
    out, data = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)), b""
    for key, value in keys.items():
        kind, payload = value_of(value)
        out += text(key) + struct.pack("<I", kind) + payload
    for name, (shape, values) in tensors.items():
        out += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in reversed(shape))
        blocks = isinstance(values, bytes)
        out += struct.pack("<IQ", Q8_0 if blocks else 0, len(data))
        data += values if blocks else struct.pack(f"<{len(values)}f", *values)
        data += bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + data


KEYS = {"general.architecture": "llama", "llama.embedding_length": 8, "llama.block_count": 1, "llama.context_length": 32,
        "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.attention.head_count": 2, "llama.feed_forward_length": 12}
TABLE = {"token_embd.weight": ([16, 8], [0.0] * 128)}
EXPERTS = {"llama.expert_count": 4, "llama.expert_used_count": 2}

# keys, tensors, the error behind "x.gguf"
CASES = [
    ({"llama.embedding_length": 0}, {}, 'key "llama.embedding_length" is no number from 1 to 16777216'),
    ({"llama.attention.layer_norm_rms_epsilon": -1.0}, {}, 'key "llama.attention.layer_norm_rms_epsilon" is no positive number'),
    ({"llama.expert_weights_norm": 3, **EXPERTS}, {}, 'key "llama.expert_weights_norm" is no boolean'),
    ({"llama.feed_forward_length": [12, 8]}, {}, 'key "llama.feed_forward_length" differs from layer to layer, which cannot be imported'),
    ({"llama.feed_forward_length": []}, {}, 'key "llama.feed_forward_length" is an empty list'),
    ({"llama.block_count": 65537}, {}, 'key "llama.block_count" is 65537, expected at most 65536'),
    ({"llama.attention.head_count_kv": 3}, {}, 'key "llama.attention.head_count_kv" is 3, expected a divisor of attention.head_count (2)'),
    ({"llama.attention.key_length": 16777216}, {}, 'key "llama.attention.key_length" is 16777216, too large for 2 heads'),
    ({"llama.attention.value_length": 8}, {}, 'key "llama.attention.value_length" is 8, expected attention.key_length (4)'),
    ({"llama.rope.dimension_count": 3}, {}, 'key "llama.rope.dimension_count" is 3, expected an even number up to the head size (4)'),
    ({"llama.rope.scaling.type": "yarn"}, {}, 'key "llama.rope.scaling.type" is of a kind that cannot be imported, supported: none, linear'),
    ({**EXPERTS, "llama.expert_used_count": 5}, {}, 'key "llama.expert_used_count" is 5, expected at most expert_count (4)'),
    ({**EXPERTS, "llama.expert_count": 65537}, {}, 'key "llama.expert_count" is 65537, expected at most 65536'),
    ({}, {"rope_freqs.weight": ([3], [1.0] * 3)}, 'tensor "rope_freqs.weight": found shape [3], expected F32 [2]'),
    ({}, {"rope_freqs.weight": ([2], [1.0, 0.0])}, 'tensor "rope_freqs.weight" holds a divisor that is not positive'),
    ({}, {"token_embd.weight": ([16], [0.0] * 16)}, '"x.gguf" has no matrix "token_embd.weight"'),
    ({"llama.embedding_length": 32}, {"token_embd.weight": ([16, 32], [0.0] * 512), "blk.0.attn_norm.weight": ([32], bytes(34))},
     'tensor "blk.0.attn_norm.weight" in "x.gguf": found a vector of type Q8_0, expected F32, F16 or BF16'),
    ({"split.count": 2}, {}, '"x.gguf" is one of several files, which cannot be imported; merge them first'),
]

os.chdir(sys.argv[1])
failed = 0
for keys, tensors, expected in CASES:
    with open("x.gguf", "wb") as file:
        file.write(gguf({**KEYS, **keys}, {**TABLE, **tensors}))
    if expected.startswith("key"):
        expected = '"x.gguf": ' + expected
    done = subprocess.run(["xfmr-import", "x.gguf"], capture_output=True, text=True)
    if done.returncode != 1 or done.stderr != f"xfmr-import: error: {expected}\n":
        print(f"expected {expected}\n  got {done.returncode} {done.stderr.strip()}")
        failed += 1
print(f"{len(CASES) - failed} of {len(CASES)} refused as said")
