"""StarCoder2: layer norms, biases everywhere, a plain network, a window over all layers."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Starcoder2ForCausalLM"], "model_type": "starcoder2", "norm_epsilon": 1e-5, "use_bias": True,
          "rope_theta": 10000.0, "hidden_act": "gelu_pytorch_tanh", "sliding_window": 20, "tie_word_embeddings": True}


def tensors(c):
    bias = c["use_bias"]
    return llama_tensors(c, mlp=("c_fc", "c_proj"), norm_bias=True, attention_bias=bias, mlp_bias=bias)


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        n = layer_norm(w, p + "input_layernorm", x, c["norm_epsilon"])
        q, k, v = projected(c, w, p + "self_attn", n)
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v, window=c["sliding_window"])))
        n = layer_norm(w, p + "post_attention_layernorm", x, c["norm_epsilon"])
        x = add(x, linear(w, p + "mlp.c_proj", activate(c["hidden_act"], linear(w, p + "mlp.c_fc", n))))
    return head(c, w, layer_norm(w, "model.norm", x, c["norm_epsilon"]))
