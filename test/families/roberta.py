"""RoBERTa: BERT with one segment, whose positions begin behind the padding id."""
import bert

CONFIG = {**bert.CONFIG, "architectures": ["RobertaModel"], "model_type": "roberta", "max_position_embeddings": 66,
          "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5, "bos_token_id": 0, "eos_token_id": 2}
tensors = bert.tensors


def hidden(c, w, ids):
    return bert.hidden(c, w, ids, first_position=c["pad_token_id"] + 1)
