"""GLM-4-0414: GLM-4 with norms behind both parts too."""
import glm
from reference import *

CONFIG = {**glm.CONFIG, "architectures": ["Glm4ForCausalLM"], "model_type": "glm4"}


def tensors(c):
    shapes = glm.tensors(c)
    for layer in range(c["num_hidden_layers"]):
        for name in ("post_self_attn_layernorm", "post_mlp_layernorm"):
            shapes[f"model.layers.{layer}.{name}.weight"] = [c["hidden_size"]]
    return shapes


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        mixed = glm.attention(c, w, p, rms_norm(w, p + "input_layernorm", x, eps), layer, position, cache)
        x = add(x, rms_norm(w, p + "post_self_attn_layernorm", mixed, eps))
        fed = glm.network(c, w, p, rms_norm(w, p + "post_attention_layernorm", x, eps))
        x = add(x, rms_norm(w, p + "post_mlp_layernorm", fed, eps))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
