"""Models that calibration or a choice of units refuses: what xfmr-opt answers. refused.py FOLDER

Small checkpoints (test/scripts/make_checkpoint.py) with a tokenizer of single letters, each changed at one place.
"""
import json
import os
import struct
import subprocess
import sys

scripts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
os.chdir(sys.argv[1])


def checkpoint(family, folder, *options, begin=1):
    subprocess.run([sys.executable, os.path.join(scripts, "make_checkpoint.py"), family, folder, *options], check=True)
    letters = {"model": {"type": "BPE", "vocab": {letter: begin + i for i, letter in enumerate("abcdefgh")}, "merges": []}}
    with open(f"{folder}/tokenizer.json", "w") as file:
        json.dump({"version": "1.0", **letters}, file)
    subprocess.run(["xfmr-import", folder, "-o", f"{folder}.mlir"], check=True)
    with open(f"{folder}.mlir") as file:
        return file.read()


def write_tensors(path, metadata, tensors):
    """tensors: name -> dtype, shape, bytes"""
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, payload) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(payload)]}
        data += payload
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def replaced(text, *pairs):
    for old, new in pairs:
        if old not in text:
            sys.exit(f"the model does not hold {old}")
        text = text.replace(old, new, 1)
    return text


llama = checkpoint("llama", "llama")
mixtral = checkpoint("mixtral", "mixtral")
many = checkpoint("mixtral", "many", "--config", "num_local_experts=16", "--config", "num_experts_per_tok=2", "--config", "num_hidden_layers=1")
nameless = checkpoint("llama", "nameless", "--config", "bos_token_id=delete")
outside = checkpoint("llama", "outside", begin=15)
with open("text.txt", "w") as file:
    file.write("abcdefgh" * 16)
with open("prompt.txt", "w") as file:
    file.write("abcd")

# Statistics, and some of the right model with a wrong tensor each.
for model, path in (("llama", "stats.safetensors"), ("mixtral", "mixture.safetensors")):
    subprocess.run(["xfmr-calibrate", model, "--text", "text.txt", "--window", "8", "-o", path], check=True, stdout=subprocess.DEVNULL)
with open("stats.safetensors", "rb") as file:
    (size,) = struct.unpack("<Q", file.read(8))
    metadata = json.loads(file.read(size))["__metadata__"]
two = struct.pack("<2d", 1, 2)
write_tensors("other.safetensors", metadata, {"layers.0.ffn.sum": ("F32", [2], struct.pack("<2f", 1, 2))})
write_tensors("pair.safetensors", metadata, {"layers.0.ffn.tokens": ("F64", [2], two)})
write_tensors("flat.safetensors", metadata, {"layers.0.ffn.gram": ("F64", [1, 2], two)})
write_tensors("empty.safetensors", metadata, {"layers.7.ffn.sum": ("F64", [2], two)})

BLOCK_1 = "(%x1) : (tensor<?x8xf32>) -> tensor<?x8xf32> {\n    ^bb0(%h: tensor<?x8xf32>):"
TWO_INPUTS = ("(%x1, %x0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {\n"
              "    ^bb0(%h: tensor<?x8xf32>, %first: tensor<?x8xf32>):")
branched = replaced(llama, (BLOCK_1, TWO_INPUTS))
ROUTING = "top_k = 2, score = softmax, norm_topk_prob = true"
SLICED = "%w1_out = xfmr.linear %t, %w1 "
W2 = "%w2_out = xfmr.linear %gated, %w2 : (tensor<?x12xf32>, tensor<8x12xf32>)"
ONE_INPUT = "calibration needs blocks of one input and one result"
TEXT = "text=text.txt window=8"

# model, pass, the error
CASES = [
    (branched, f"xfmr-prune-ffn=width=8 method=fasp {TEXT}", ONE_INPUT),
    (branched, f"xfmr-prune-layers=keep=1 method=influence {TEXT}", ONE_INPUT),
    (branched, "xfmr-edit-ffn=layer=1 subject=prompt.txt target=prompt.txt window=8 text=text.txt", ONE_INPUT),
    (branched, "xfmr-prune-layers=layers=1", "a block whose results are not of its inputs' types cannot be removed"),
    (replaced(llama, ("xfmr.mul %silu, %up : tensor<?x12xf32>", "arith.mulf %silu, %up : tensor<?x12xf32>")),
     f"xfmr-prune-heads=heads=1 method=fasp {TEXT}", "calibration does not know this op"),
    (nameless, f"xfmr-prune-ffn=width=8 method=fasp {TEXT}", "neither the model nor its tokenizer names a begin token"),
    (outside, f"xfmr-prune-ffn=width=8 method=fasp {TEXT}", "the tokenizer gives token 16, the model has 16"),
    (llama, "xfmr-prune-ffn=width=8 stats=stats.safetensors",
     "statistics are given, but neither the method nor the repair reads any; name another method, such as method=obs"),
    (llama, "xfmr-prune-ffn=width=8 method=fasp stats=llama/model.safetensors", '"llama/model.safetensors" holds no statistics of xfmr-calibrate'),
    (llama, "xfmr-prune-ffn=width=8 method=fasp stats=other.safetensors",
     'statistics "other.safetensors": "layers.0.ffn.sum" of F32 is no field of a module, expected MODULE.FIELD of F64'),
    (llama, "xfmr-prune-ffn=width=8 method=fasp stats=pair.safetensors",
     'statistics "pair.safetensors": "layers.0.ffn.tokens" has shape [2], expected one number'),
    (llama, "xfmr-prune-ffn=width=8 method=fasp stats=flat.safetensors",
     'statistics "flat.safetensors": "layers.0.ffn.gram" has shape [1, 2], expected a square matrix'),
    (llama, "xfmr-prune-ffn=width=8 method=fasp stats=empty.safetensors", 'statistics "empty.safetensors" hold nothing of "layers.0.ffn"'),
    (llama, f"xfmr-prune-budget=flops=0.01 {TEXT}", "operations a token cannot be met: "),
    (replaced(mixtral, (ROUTING, ROUTING + ", overflow = drop, capacity = 64")),
     f"xfmr-prune-experts=experts=3 method=frequency approximate=true {TEXT}",
     "calibration does not know routers with a capacity"),
    (replaced(mixtral, (ROUTING, ROUTING + ", weight_on_input = true")), f"xfmr-prune-ffn=width=8 method=fasp {TEXT}",
     "calibration does not know mixtures that weigh the input of an expert"),
    (mixtral, "xfmr-mask-experts=experts=3 repair=ls", "experts that are only shut off cannot be repaired around; expected repair=none"),
    (mixtral, "xfmr-prune-experts=experts=3 repair=full", "experts know repair=none and repair=ls"),
    (mixtral, "xfmr-prune-experts=experts=3 method=subset stats=mixture.safetensors", "method=subset needs a calibration text (text=FILE)"),
    (mixtral, "xfmr-prune-ffn=width=8 method=obs stats=mixture.safetensors",
     "statistics hold no joint equations of a mixture; this method needs text=FILE here"),
    (many, f"xfmr-prune-experts=experts=8 method=subset {TEXT}",
     "method=subset would try 12870 sets of 8 out of 16 experts, expected at most 5000"),
    (replaced(many, (ROUTING, ROUTING + ", n_group = 2, topk_group = 1")), f"xfmr-prune-experts=experts=14 method=subset {TEXT}",
     "method=subset does not know routers with groups of experts"),
    (replaced(many, ("score = softmax, norm_topk_prob = true", "score = sigmoid, n_group = 4, topk_group = 2, group_score = sum_top2")),
     "xfmr-prune-experts=experts=4", "cannot keep 4 experts: the router sums the two best of each of its 4 groups"),
    (replaced(mixtral, (W2, W2.replace("%gated", "%w1_out"))), f"xfmr-prune-experts=experts=3 method=frequency {TEXT}",
     "its experts are no feed-forward networks that can be measured; expected method=first and repair=none"),
    (replaced(mixtral, (SLICED, "%ws = xfmr.weight_scale %w1 by 2.0 : tensor<12x8xf32>\n %w1_out = xfmr.linear %t, %ws ")),
     "xfmr-prune-ffn=width=8", "an expert's weight is an expression over slices of stacked weights; run 'canonicalize' before pruning"),
]

failed = 0
for text, options, expected in CASES:
    with open("x.mlir", "w") as file:
        file.write(text)
    done = subprocess.run(["xfmr-opt", "x.mlir", "--" + options, "-o", "x.out"], capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if " error: " in line]
    if done.returncode != 1 or len(errors) != 1 or expected not in errors[0]:
        print(f"{options}: expected {expected}\n  got {done.returncode} {errors}")
        failed += 1
print(f"{len(CASES) - failed} of {len(CASES)} refused as said")
