"""wide_model.py FOLDER: a Llama of one layer with rows of 512 columns, enough for products of codes; weights are seeded numbers."""
import json
import random
import struct
import sys
from array import array
from pathlib import Path

folder, hidden, vocab = Path(sys.argv[1]), 512, 64
folder.mkdir(parents=True, exist_ok=True)
config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": hidden,
          "num_hidden_layers": 1, "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": vocab,
          "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
          "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2}
(folder / "config.json").write_text(json.dumps(config))
shapes = {"model.embed_tokens.weight": (vocab, hidden), "model.norm.weight": (hidden,)}
layer = "model.layers.0."
for name, rows in {"self_attn.q_proj": hidden, "self_attn.k_proj": hidden // 2, "self_attn.v_proj": hidden // 2,
                   "self_attn.o_proj": hidden, "mlp.gate_proj": hidden, "mlp.up_proj": hidden, "mlp.down_proj": hidden}.items():
    shapes[f"{layer}{name}.weight"] = (rows, hidden)
shapes[layer + "input_layernorm.weight"] = shapes[layer + "post_attention_layernorm.weight"] = (hidden,)
numbers, header, data = random.Random(5), {}, bytearray()
for name, shape in shapes.items():
    values = array("f")
    for _ in range(shape[0] * (shape[1] if len(shape) > 1 else 1)):
        values.append(1.0 if len(shape) == 1 else numbers.uniform(-0.07, 0.07))
    header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + 4 * len(values)]}
    data += values.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
