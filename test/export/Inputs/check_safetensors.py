#!/usr/bin/env python3
"""Checks an exported folder with the standard library only: check_safetensors.py FOLDER [--equal FOLDER] [--same-names FOLDER]

The file must be a valid safetensors file (header, offsets without gap or overlap, sizes that fit shape and dtype) and its shapes
those of config.json, where that is of the Llama layout. With --equal every tensor must have the bytes of the other folder's.
"""
import argparse
import json
import os

SIZES = {"F32": 4, "F16": 2, "BF16": 2}


def read(folder):
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    assert 8 + size <= len(data), "the header runs over the end"
    pairs = json.loads(data[8 : 8 + size].decode("utf-8"), object_pairs_hook=list)
    assert len({name for name, _ in pairs}) == len(pairs), "a name occurs twice"
    tensors, at = {}, 0
    entries = [(name, dict(entry)) for name, entry in pairs if name != "__metadata__"]
    for name, entry in sorted(entries, key=lambda pair: pair[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        elements = 1
        for extent in entry["shape"]:
            elements *= extent
        assert begin == at, f"{name}: begins at {begin}, expected {at}"
        assert end - begin == elements * SIZES[entry["dtype"]], f"{name}: {end - begin} bytes do not fit {entry}"
        tensors[name] = (entry["dtype"], entry["shape"], data[8 + size + begin : 8 + size + end])
        at = end
    assert 8 + size + at == len(data), "bytes are left over"
    return tensors


def check_shapes(tensors, config):
    if "head_dim" not in config or "model.layers.0.self_attn.q_proj.weight" not in tensors:
        return
    d, heads, kv, dim = (config[k] for k in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim"))
    for layer in range(config["num_hidden_layers"]):
        expected = {"self_attn.q_proj": [heads * dim, d], "self_attn.k_proj": [kv * dim, d],
                    "self_attn.v_proj": [kv * dim, d], "self_attn.o_proj": [d, heads * dim]}
        if f"model.layers.{layer}.mlp.up_proj.weight" in tensors:
            width = config["intermediate_size"]
            expected.update({"mlp.gate_proj": [width, d], "mlp.up_proj": [width, d], "mlp.down_proj": [d, width]})
        for module, shape in expected.items():
            found = tensors[f"model.layers.{layer}.{module}.weight"][1]
            assert found == shape, f"layer {layer} {module}: {found}, the configuration says {shape}"
    beyond = f"model.layers.{config['num_hidden_layers']}."
    assert not any(name.startswith(beyond) for name in tensors), "more layers than the configuration says"
    assert ("lm_head.weight" in tensors) != config.get("tie_word_embeddings", True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--equal", help="folder whose tensors must be the same")
    arguments = parser.parse_args()
    tensors = read(arguments.folder)
    with open(os.path.join(arguments.folder, "config.json"), encoding="utf-8") as file:
        check_shapes(tensors, json.load(file))
    if arguments.equal:
        others = read(arguments.equal)
        assert set(tensors) == set(others), f"names differ: {sorted(set(tensors) ^ set(others))[:4]}"
        for name in tensors:
            assert tensors[name] == others[name], f"{name} differs"
    kinds = ",".join(sorted({dtype for dtype, _, _ in tensors.values()}))
    print(f"ok {len(tensors)} tensors of {kinds}" + (", equal" if arguments.equal else ""))


if __name__ == "__main__":
    main()
