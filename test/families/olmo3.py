"""OLMo 3: norms behind both parts and over whole queries and keys; all layers but every fourth slide."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "num_hidden_layers": 4, "rms_norm_eps": 1e-6,
          "rope_theta": 10000.0, "hidden_act": "silu", "attention_bias": False, "sliding_window": 12,
          "layer_types": ["sliding_attention"] * 3 + ["full_attention"], "tie_word_embeddings": False}


def tensors(c):
    d, h = c["hidden_size"], head_dim(c)
    shapes = llama_tensors(c, attention_bias=c["attention_bias"])
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        del shapes[p + "input_layernorm.weight"]
        shapes |= {p + "post_feedforward_layernorm.weight": [d], p + "self_attn.q_norm.weight": [c["num_attention_heads"] * h],
                   p + "self_attn.k_norm.weight": [c["num_key_value_heads"] * h]}
    return shapes


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        a = p + "self_attn."
        q = heads(rms_norm(w, a + "q_norm", linear(w, a + "q_proj", x), eps), c["num_attention_heads"])
        k = heads(rms_norm(w, a + "k_norm", linear(w, a + "k_proj", x), eps), c["num_key_value_heads"])
        v = heads(linear(w, a + "v_proj", x), c["num_key_value_heads"])
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        window = c["sliding_window"] if c["layer_types"][layer] == "sliding_attention" else None
        mixed = linear(w, a + "o_proj", attend(cache, layer, q, k, v, window=window))
        x = add(x, rms_norm(w, p + "post_attention_layernorm", mixed, eps))
        x = add(x, rms_norm(w, p + "post_feedforward_layernorm", gated(w, p + "mlp", x, c["hidden_act"]), eps))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
