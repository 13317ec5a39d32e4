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
    kind = BOOL if value and isinstance(value[0], bool) else U32
    return LIST, struct.pack("<IQ", kind, len(value)) + b"".join(value_of(entry)[1] for entry in value)


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

def of(architecture, **more):
    """The keys under another architecture; __ is a dot."""
    keys = {key.replace("llama.", architecture + "."): value for key, value in KEYS.items() if key.startswith("llama.")}
    keys.update({f"{architecture}.{key.replace('__', '.')}": value for key, value in more.items()})
    return {**keys, "general.architecture": architecture}


def zeros(*shape):
    count = 1
    for extent in shape:
        count *= extent
    return list(shape), [0.0] * count


LATENT = {"attention__kv_lora_rank": 4, "attention__key_length": 8, "rope__dimension_count": 4}
FUSED = {name: zeros(8) for part in ("token_embd_norm", "blk.0.attn_norm") for name in (part + ".weight", part + ".bias")}
BLOCKS = (2, 4, 32)  # experts, width, hidden size
MIXED = {"token_embd.weight": zeros(16, 32), "blk.0.attn_norm.weight": zeros(32), "blk.0.attn_q.weight": zeros(32, 32),
         "blk.0.attn_k.weight": zeros(32, 32), "blk.0.attn_v.weight": zeros(32, 32), "blk.0.attn_output.weight": zeros(32, 32),
         "blk.0.ffn_norm.weight": zeros(32), "blk.0.ffn_gate_inp.weight": zeros(2, 32), "blk.0.ffn_gate_exps.weight": zeros(*BLOCKS),
         "blk.0.ffn_up_exps.weight": (list(BLOCKS), bytes(8 * 34))}

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
    ({"llama.rope.scaling.type": "twist"}, {}, 'key "llama.rope.scaling.type" is of a kind that cannot be imported, supported: none, linear, yarn, longrope'),
    ({**EXPERTS, "llama.expert_used_count": 5}, {}, 'key "llama.expert_used_count" is 5, expected at most expert_count (4)'),
    ({**EXPERTS, "llama.expert_count": 65537}, {}, 'key "llama.expert_count" is 65537, expected at most 65536'),
    ({}, {"rope_freqs.weight": ([3], [1.0] * 3)}, 'tensor "rope_freqs.weight": found shape [3], expected F32 [2]'),
    ({}, {"rope_freqs.weight": ([2], [1.0, 0.0])}, 'tensor "rope_freqs.weight" holds a divisor that is not positive'),
    ({}, {"token_embd.weight": ([16], [0.0] * 16)}, '"x.gguf" has no matrix "token_embd.weight"'),
    ({"llama.embedding_length": 32}, {"token_embd.weight": ([16, 32], [0.0] * 512), "blk.0.attn_norm.weight": ([32], bytes(34))},
     'tensor "blk.0.attn_norm.weight" in "x.gguf": found a vector of type Q8_0, expected F32, F16 or BF16'),
    ({}, {}, 'tensor "blk.0.attn_norm.weight" is missing from "x.gguf", expected shape [8]'),
    ({}, {"blk.0.attn_norm.weight": zeros(4)}, 'tensor "blk.0.attn_norm.weight" in "x.gguf": found shape [4], expected [8]'),
    (of("llama", rope__scaling__type="yarn", rope__scaling__factor=2.0, rope__scaling__yarn_ext_factor=0.5), {},
     'key "llama.rope.scaling.yarn_ext_factor" is another number than 1, which cannot be imported'),
    (of("gemma2", attention__sliding_window_pattern=[True, False]), {},
     'key "gemma2.attention.sliding_window_pattern" has 2 entries, expected block_count (1)'),
    (of("gemma2", attention__sliding_window_pattern=[1]), {},
     'key "gemma2.attention.sliding_window_pattern" holds something else than booleans'),
    (of("granite", logit_scale=1.0, expert_shared_feed_forward_length=4), {},
     'key "granite.expert_shared_feed_forward_length" is set, but a shared expert of this architecture cannot be imported'),
    (of("granite"), {}, 'key "granite.logit_scale" is missing'),
    (of("mpt"), {}, 'key "mpt.feed_forward_length" is 12, expected a multiple of embedding_length (8)'),
    (of("starcoder", embedding_length=16, attention__head_count=4, attention__head_count_kv=2), {},
     'key "starcoder.attention.head_count_kv" is 2, expected 1 or attention.head_count (4)'),
    (of("minimax-m2", expert_count=2, expert_used_count=1, expert_feed_forward_length=8, expert_gating_func=1), {},
     'key "minimax-m2.expert_gating_func" is 1, expected 2 (sigmoid)'),
    (of("ernie4_5-moe", expert_count=2, expert_used_count=1, expert_feed_forward_length=8, interleave_moe_layer_step=1,
        expert_shared_feed_forward_length=12), {},
     'key "ernie4_5-moe.expert_shared_feed_forward_length" is 12, expected a multiple of expert_feed_forward_length (8)'),
    (of("deepseek2", expert_gating_func=3, **LATENT), {},
     'key "deepseek2.expert_gating_func" is 3, expected 1 (softmax) or 2 (sigmoid)'),
    (of("deepseek2", **{**LATENT, "attention__key_length": 4}), {},
     'key "deepseek2.attention.key_length" is 4, expected more than rope.dimension_count (4)'),
    (of("deepseek2", **LATENT, rope__scaling__type="yarn", rope__scaling__factor=2.0), {},
     'key "deepseek2.attention.value_length" is missing'),
    (of("llama4", interleave_moe_layer_step=1, attention__sliding_window=0), {},
     'key "llama4.attention.sliding_window" is 0, but a model of this architecture without chunks cannot be imported'),
    (of("modern-bert", rope__scaling__type="linear", rope__scaling__factor=2.0), {},
     'key "modern-bert.rope.scaling.type" is set, which this architecture cannot import'),
    (of("bert", attention__causal=True), {}, 'key "bert.attention.causal" is true, expected false'),
    (of("modern-bert", hidden_activation=3), {}, 'key "modern-bert.hidden_activation" is no text'),
    (of("bloom", attention__head_count_kv=1), FUSED, 'tensor "blk.0.attn_qkv.weight" has no rows for the shape [24, 8]'),
    (of("granitemoe", embedding_length=32, attention__head_count=1, feed_forward_length=4, expert_count=2, expert_used_count=1,
        logit_scale=1.0), MIXED,
     'tensors "blk.0.ffn_gate_exps.weight" and "blk.0.ffn_up_exps.weight" have different types, expected one'),
    ({"split.count": 2}, {}, '"x.gguf" is part 1 of 2, but its name does not end in "-00001-of-00002.gguf", by which the others are found'),
    ({"split.count": 2, "split.no": 2}, {}, '"x.gguf": split.no is 2 and split.count 2, expected a number below a count of at most 99999'),
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
