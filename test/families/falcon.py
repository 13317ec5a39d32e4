"""Falcon 7B: one key and value head behind all queries in a fused projection, attention and network side by side."""
from reference import *

CONFIG = {"architectures": ["FalconForCausalLM"], "model_type": "falcon", "vocab_size": 96, "hidden_size": 32,
          "num_hidden_layers": 2, "num_attention_heads": 4, "layer_norm_epsilon": 1e-5, "activation": "gelu", "alibi": False,
          "multi_query": True, "parallel_attn": True, "new_decoder_architecture": False, "bias": False, "rope_theta": 10000.0,
          "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
          "tie_word_embeddings": True}


def kv_heads(c):
    if c["new_decoder_architecture"] or not c["multi_query"]:
        return c.get("num_kv_heads") or c["num_attention_heads"]
    return 1


def norms(c):
    """Names of a block's norms: in front of attention, and in front of the network if that has one of its own."""
    if c["new_decoder_architecture"] and c.get("num_ln_in_parallel_attn") in (None, 2):
        return "ln_attn", "ln_mlp"
    if c["new_decoder_architecture"] or c["parallel_attn"]:
        return "input_layernorm", None
    return "input_layernorm", "post_attention_layernorm"


def tensors(c):
    d, h, f = c["hidden_size"], c["num_attention_heads"], c.get("ffn_hidden_size") or 4 * c["hidden_size"]
    shapes = {"transformer.word_embeddings.weight": [c["vocab_size"], d]}
    for layer in range(c["num_hidden_layers"]):
        p = f"transformer.h.{layer}."
        for norm in filter(None, norms(c)):
            shapes |= {p + norm + ".weight": [d], p + norm + ".bias": [d]}
        for name, rows, columns in (("self_attention.query_key_value", (h + 2 * kv_heads(c)) * d // h, d),
                                    ("self_attention.dense", d, d), ("mlp.dense_h_to_4h", f, d), ("mlp.dense_4h_to_h", d, f)):
            shapes[p + name + ".weight"] = [rows, columns]
            if c["bias"]:
                shapes[p + name + ".bias"] = [rows]
    shapes |= {"transformer.ln_f.weight": [d], "transformer.ln_f.bias": [d]}
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [c["vocab_size"], d]
    return shapes


def split(c, fused):
    """The fused rows go group by group: the queries of a key head, that key, its value."""
    h, kv = c["num_attention_heads"], kv_heads(c)
    parts, group = heads(fused, h + 2 * kv), h // kv + 2
    q = [part for i, part in enumerate(parts) if i % group < group - 2]
    return q, parts[group - 2 :: group], parts[group - 1 :: group]


def step(c, w, token, position, cache):
    x, eps = w["transformer.word_embeddings.weight"][token], c["layer_norm_epsilon"]
    first, second = norms(c)
    for layer in range(c["num_hidden_layers"]):
        p = f"transformer.h.{layer}."
        n = layer_norm(w, p + first, x, eps)
        q, k, v = split(c, linear(w, p + "self_attention.query_key_value", n))
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attention.dense", attend(cache, layer, q, k, v))
        if second == "ln_mlp":
            n = layer_norm(w, p + second, x, eps)
        elif second:
            x, mixed = add(x, mixed), [0.0] * len(x)
            n = layer_norm(w, p + second, x, eps)
        fed = linear(w, p + "mlp.dense_4h_to_h", activate(c["activation"], linear(w, p + "mlp.dense_h_to_4h", n)))
        x = add(x, mixed, fed)
    return head(c, w, layer_norm(w, "transformer.ln_f", x, eps), "transformer.word_embeddings")
