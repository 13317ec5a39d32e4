#!/usr/bin/env python3
"""Writes a tiny checkpoint or adapter with the standard library only, right or wrong on purpose.

    make_checkpoint.py FAMILY OUT [options]        FAMILY: llama, mixtral, lora

    --config KEY=JSON     sets a configuration key; KEY=delete removes it
    --raw-config TEXT     the whole config.json, as it is
    --no-weights          writes only config.json
    --dtype F16           element type of every tensor
    --drop NAME           leaves a tensor out
    --add NAME=[2,3]      adds a tensor
    --shape NAME=[2,3]    changes a tensor's shape
    --retype NAME=I32     changes a tensor's element type
    --fill NAME=nan       sets every value of a tensor's first row
    --strip PREFIX        leaves this out of the tensors' names (their values stay)
    --shards N            spreads the tensors over N files with an index
    --truncate BYTES      keeps only the first bytes of the last tensor file
    --modules a,b         lora: suffixes of the modules, in the first layer of a llama
    --rank R              lora: rows of A

Sizes unless --config changes them: hidden 8, 2 heads of 4 over 1 kv head, feed-forward 12, 2 layers,
vocabulary 16; mixtral has 4 experts, 2 a token. Values are a fixed pseudo-random sequence by name.
"""
import argparse
import json
import math
import os
import random
import struct
import zlib


def encode(values, dtype):
    if dtype == "F32":
        return struct.pack(f"<{len(values)}f", *values)
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    if dtype == "BF16":
        words = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
        return struct.pack(f"<{len(values)}H", *[word >> 16 for word in words])
    if dtype == "F64":
        return struct.pack(f"<{len(values)}d", *values)
    if dtype == "I32":
        return struct.pack(f"<{len(values)}i", *[int(value) for value in values])
    raise SystemExit(f"unknown dtype {dtype}")


def values_of(name, shape):
    """Norm weights near 1, everything else scaled so that activations keep their size."""
    generator = random.Random(zlib.crc32(name.encode()))
    count = math.prod(shape)
    if len(shape) == 1:
        return [1.0 + 0.1 * generator.uniform(-1, 1) for _ in range(count)]
    scale = 1.0 / math.sqrt(shape[-1])
    return [scale * generator.gauss(0, 1) for _ in range(count)]


def write_tensors(path, tensors, fills, strip=""):
    """tensors: (name, dtype, shape); fills: name -> value of the first row; strip: begin of names to leave out"""
    header, data = {}, b""
    for name, dtype, shape in tensors:
        values = values_of(name, shape)
        if name in fills:
            values[: shape[-1]] = [float(fills[name])] * shape[-1]
        payload = encode(values, dtype)
        header[name.removeprefix(strip)] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(payload)]}
        data += payload
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
    return len(data)


def llama_config():
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8,
            "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 1, "vocab_size": 16, "max_position_embeddings": 32,
            "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
            "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
            "torch_dtype": "float32"}


def mixtral_config():
    return {**llama_config(), "architectures": ["MixtralForCausalLM"], "model_type": "mixtral",
            "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}


def tensors_of(config):
    d, f = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    h = config.get("head_dim") or d // heads
    shapes = [("model.embed_tokens.weight", [config["vocab_size"], d])]
    for layer in range(config["num_hidden_layers"]):
        p = f"model.layers.{layer}"
        shapes += [(f"{p}.input_layernorm.weight", [d]),
                   (f"{p}.self_attn.q_proj.weight", [heads * h, d]),
                   (f"{p}.self_attn.k_proj.weight", [kv_heads * h, d]),
                   (f"{p}.self_attn.v_proj.weight", [kv_heads * h, d]),
                   (f"{p}.self_attn.o_proj.weight", [d, heads * h]),
                   (f"{p}.post_attention_layernorm.weight", [d])]
        if config.get("attention_bias"):
            shapes += [(f"{p}.self_attn.{n}_proj.bias", [size * h if n != "o" else d])
                       for n, size in (("q", heads), ("k", kv_heads), ("v", kv_heads), ("o", 0))]
        if config["model_type"] == "mixtral":
            moe = f"{p}.block_sparse_moe"
            shapes.append((f"{moe}.gate.weight", [config["num_local_experts"], d]))
            for e in range(config["num_local_experts"]):
                shapes += [(f"{moe}.experts.{e}.w1.weight", [f, d]),
                           (f"{moe}.experts.{e}.w3.weight", [f, d]),
                           (f"{moe}.experts.{e}.w2.weight", [d, f])]
            continue
        shapes += [(f"{p}.mlp.gate_proj.weight", [f, d]), (f"{p}.mlp.up_proj.weight", [f, d]),
                   (f"{p}.mlp.down_proj.weight", [d, f])]
        if config.get("mlp_bias"):
            shapes += [(f"{p}.mlp.gate_proj.bias", [f]), (f"{p}.mlp.up_proj.bias", [f]),
                       (f"{p}.mlp.down_proj.bias", [d])]
    shapes.append(("model.norm.weight", [d]))
    if not config.get("tie_word_embeddings"):
        shapes.append(("lm_head.weight", [config["vocab_size"], d]))
    return shapes


def lora_tensors(modules, rank):
    """Branches in layer 0 of the llama above; `embed_tokens` and `lm_head` by their own names."""
    sizes = {"q_proj": (8, 8), "k_proj": (4, 8), "v_proj": (4, 8), "o_proj": (8, 8),
             "gate_proj": (12, 8), "up_proj": (12, 8), "down_proj": (8, 12), "lm_head": (16, 8)}
    shapes = []
    for module in modules:
        if module == "embed_tokens":
            path = "base_model.model.model.embed_tokens"
            shapes += [(f"{path}.lora_embedding_A", [rank, 16]), (f"{path}.lora_embedding_B", [8, rank])]
            continue
        part = "self_attn" if module[0] in "qkvo" else "mlp"
        path = f"base_model.model.model.layers.0.{part}.{module}"
        if module == "lm_head":
            path = "base_model.model.lm_head"
        elif "." in module:
            path, module = f"base_model.model.{module}", module.split(".")[-1]
        out, inner = sizes.get(module, (12, 8))
        shapes += [(f"{path}.lora_A.weight", [rank, inner]), (f"{path}.lora_B.weight", [out, rank])]
    return shapes


def pairs(entries):
    return dict(entry.split("=", 1) for entry in entries or [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=["llama", "mixtral", "lora"])
    parser.add_argument("out")
    for name in ("--config", "--drop", "--add", "--shape", "--retype", "--fill"):
        parser.add_argument(name, action="append")
    parser.add_argument("--raw-config")
    parser.add_argument("--no-weights", action="store_true")
    parser.add_argument("--dtype", default="F32")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--truncate", type=int)
    parser.add_argument("--strip", default="")
    parser.add_argument("--modules", default="q_proj,v_proj")
    parser.add_argument("--rank", type=int, default=2)
    options = parser.parse_args()

    if options.family == "lora":
        config = {"peft_type": "LORA", "r": options.rank, "lora_alpha": 4, "bias": "none",
                  "target_modules": options.modules.split(","), "fan_in_fan_out": False}
        names = ("adapter_config.json", "adapter_model.safetensors")
    else:
        config = llama_config() if options.family == "llama" else mixtral_config()
        names = ("config.json", "model.safetensors")
    for key, value in pairs(options.config).items():
        if value == "delete":
            config.pop(key, None)
        else:
            config[key] = json.loads(value)

    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, names[0]), "w", encoding="utf-8") as file:
        file.write(options.raw_config or json.dumps(config, indent=1))
    if options.no_weights:
        return
    if options.family == "lora":
        shapes = lora_tensors(options.modules.split(","), options.rank)
    else:
        # Shapes follow the configuration as far as it makes sense.
        usual = llama_config() if options.family == "llama" else mixtral_config()
        shapes = tensors_of({**usual, **{k: v for k, v in config.items()
                                         if type(v) is type(usual.get(k, v))}})
    shapes = dict(shapes)
    for name, shape in {**pairs(options.add), **pairs(options.shape)}.items():
        shapes[name] = json.loads(shape)
    for name in options.drop or []:
        del shapes[name]
    types = pairs(options.retype)
    tensors = [(name, types.get(name, options.dtype), shape) for name, shape in shapes.items()]

    path = os.path.join(options.out, names[1])
    if options.shards == 1:
        write_tensors(path, tensors, pairs(options.fill), options.strip)
    else:
        weight_map, total = {}, 0
        for shard in range(options.shards):
            name = f"model-{shard + 1:05}-of-{options.shards:05}.safetensors"
            path = os.path.join(options.out, name)
            part = tensors[shard::options.shards]
            total += write_tensors(path, part, pairs(options.fill))
            weight_map.update({tensor[0]: name for tensor in part})
        with open(os.path.join(options.out, "model.safetensors.index.json"), "w") as file:
            json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file, indent=1)
    if options.truncate is not None:
        os.truncate(path, options.truncate)


if __name__ == "__main__":
    main()
