#!/usr/bin/env python3
"""Writes a Llama or Mixtral checkpoint of any size with pseudo-random weights, for benchmarks: no trained model is that
large here.

    make_llama.py OUT [--hidden 768] [--ffn 2048] [--layers 12] [--heads 12] [--kv-heads 4] [--vocab 16000]
                  [--context 2048] [--dtype F32|F16|BF16] [--seed 1] [--experts 0] [--top-k 2] [--tokenizer]

With --experts every block is a mixture of that many networks of --ffn channels. The defaults are about 100 million
parameters. A tensor repeats one block of normal numbers from another start, scaled by 1/sqrt(columns): the values do not
matter for speed, and a gigabyte takes seconds. --tokenizer adds one of bytes and fillers, without which other programs do
not load an exported file.
"""
import argparse
import array
import json
import os
import random
import struct

parser = argparse.ArgumentParser()
parser.add_argument("out")
for name, value in [("hidden", 768), ("ffn", 2048), ("layers", 12), ("heads", 12), ("kv-heads", 4), ("vocab", 16000),
                    ("context", 2048), ("seed", 1), ("experts", 0), ("top-k", 2)]:
    parser.add_argument("--" + name, type=int, default=value)
parser.add_argument("--tokenizer", action="store_true")
parser.add_argument("--dtype", choices=["F32", "F16", "BF16"], default="F32")
a = parser.parse_args()
D, F, head = a.hidden, a.ffn, a.hidden // a.heads

tensors = [("model.embed_tokens.weight", [a.vocab, D]), ("lm_head.weight", [a.vocab, D]), ("model.norm.weight", [D])]
for i in range(a.layers):
    p = f"model.layers.{i}."
    tensors += [(p + "input_layernorm.weight", [D]), (p + "post_attention_layernorm.weight", [D]),
                (p + "self_attn.q_proj.weight", [D, D]), (p + "self_attn.o_proj.weight", [D, D]),
                (p + "self_attn.k_proj.weight", [a.kv_heads * head, D]),
                (p + "self_attn.v_proj.weight", [a.kv_heads * head, D])]
    if not a.experts:
        tensors += [(p + "mlp.gate_proj.weight", [F, D]), (p + "mlp.up_proj.weight", [F, D]),
                    (p + "mlp.down_proj.weight", [D, F])]
        continue
    m = p + "block_sparse_moe."
    tensors.append((m + "gate.weight", [a.experts, D]))
    for e in range(a.experts):
        tensors += [(f"{m}experts.{e}.w1.weight", [F, D]), (f"{m}experts.{e}.w3.weight", [F, D]),
                    (f"{m}experts.{e}.w2.weight", [D, F])]

rng = random.Random(a.seed)
BLOCK = 1 << 16


def block(scale):
    values = [rng.gauss(0, scale) for _ in range(BLOCK)]
    if a.dtype == "F32":
        return array.array("f", values).tobytes()
    if a.dtype == "F16":
        return struct.pack(f"<{BLOCK}e", *values)
    return b"".join(struct.pack("<f", v)[2:] for v in values)


size = 4 if a.dtype == "F32" else 2
header, end = {}, 0
for name, shape in tensors:
    count = 1
    for n in shape:
        count *= n
    header[name] = {"dtype": a.dtype, "shape": shape, "data_offsets": [end, end + count * size]}
    end += count * size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
os.makedirs(a.out, exist_ok=True)
blocks = {}
with open(os.path.join(a.out, "model.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for name, shape in tensors:
        scale = shape[-1] ** -0.5 if len(shape) == 2 else 1.0
        data = blocks.setdefault(scale, block(scale))
        begin, stop = header[name]["data_offsets"]
        left, start = stop - begin, rng.randrange(BLOCK) * size
        while left:
            piece = data[start:start + left]
            file.write(piece)
            left, start = left - len(piece), 0
family = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
if a.experts:
    family = {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": a.experts,
              "num_experts_per_tok": a.top_k}
json.dump({**family, "hidden_size": D, "intermediate_size": F, "num_hidden_layers": a.layers,
           "num_attention_heads": a.heads, "num_key_value_heads": a.kv_heads,
           "head_dim": head, "vocab_size": a.vocab, "max_position_embeddings": a.context, "rms_norm_eps": 1e-5,
           "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "bos_token_id": 1,
           "eos_token_id": 2, "torch_dtype": {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[a.dtype]},
          open(os.path.join(a.out, "config.json"), "w"), indent=1)
if a.tokenizer:
    # GPT-2's characters for bytes: printable ones are themselves, the rest follow from 256 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (chr(256 + i) for i in range(256))
    words = ["<unk>", "<s>", "</s>"] + [chr(b) if b in printable else next(others) for b in range(256)]
    words += [f"[filler{i}]" for i in range(a.vocab - len(words))]
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    json.dump({"version": "1.0", "truncation": None, "padding": None,
               "added_tokens": [{"id": i, "content": words[i], **special} for i in range(3)], "normalizer": None,
               "pre_tokenizer": bytes_step, "post_processor": None, "decoder": bytes_step,
               "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                         "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                         "vocab": {word: i for i, word in enumerate(words)}, "merges": []}},
              open(os.path.join(a.out, "tokenizer.json"), "w"))
    json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"},
              open(os.path.join(a.out, "tokenizer_config.json"), "w"))
print(f"{a.out}: {end // size:,} parameters, {end:,} bytes")
