"""SmolLM3: Llama whose every fourth layer does not turn queries and keys."""
from reference import *

CONFIG = {**SIZES, "architectures": ["SmolLM3ForCausalLM"], "model_type": "smollm3", "num_hidden_layers": 4, "rms_norm_eps": 1e-6,
          "rope_theta": 5000.0, "hidden_act": "silu", "no_rope_layer_interval": 4, "no_rope_layers": [1, 1, 1, 0],
          "use_sliding_window": False, "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True}


def tensors(c):
    return llama_tensors(c, attention_bias=c["attention_bias"], mlp_bias=c["mlp_bias"])


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, c["rms_norm_eps"]))
        if c["no_rope_layers"][layer]:
            q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, gated(w, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, c["rms_norm_eps"]), c["hidden_act"]))
    return head(c, w, rms_norm(w, "model.norm", x, c["rms_norm_eps"]))
