"""ELECTRA: BERT whose embeddings have a width of their own and are projected."""
from reference import *
import bert

CONFIG = {**bert.CONFIG, "architectures": ["ElectraModel"], "model_type": "electra", "embedding_size": 24}


def tensors(c):
    shapes = bert.tensors(c)
    width, d = c["embedding_size"], c["hidden_size"]
    del shapes["pooler.dense.weight"], shapes["pooler.dense.bias"]
    for name in shapes:
        if name.startswith("embeddings."):
            shapes[name] = shapes[name][:-1] + [width]
    if width != d:
        shapes |= {"embeddings_project.weight": [d, width], "embeddings_project.bias": [d]}
    return shapes


def hidden(c, w, ids, types=None):
    return bert.hidden(c, w, ids, types, project=lambda x: linear(w, "embeddings_project", x) if "embeddings_project.weight" in w else x)
