"""sentence_modules.py FOLDER: modules and settings of a sentence-transformers folder and what xfmr-compile answers to them."""
import json
import math
import os
import subprocess
import sys

folder = sys.argv[1]
TYPES = "sentence_transformers.models."
POOLING = {"type": TYPES + "Pooling", "path": "1_Pooling"}
MEAN = {"pooling_mode_mean_tokens": True}

DENSE = {"type": TYPES + "Dense", "path": "2_Dense"}
DENSE_FILE = f'"{folder}/2_Dense/config.json"'
WIDE = {"in_features": 32, "out_features": 8, "activation_function": "torch.nn.modules.activation.Tanh"}

# modules behind the transformer, 1_Pooling/config.json, sentence_bert_config.json, the error or None, 2_Dense/config.json
CASES = [
    ([POOLING, {"type": TYPES + "Normalize", "path": "2_Normalize"}], MEAN, {"max_seq_length": 32, "do_lower_case": False}, None),
    ([POOLING], {"pooling_mode": "lasttoken"}, {}, None),
    ([DENSE, POOLING], MEAN, {},
     f'"{folder}/modules.json": the module "{TYPES}Dense" is not supported there, expected Transformer, Pooling, Dense, Normalize'),
    ([POOLING, DENSE], MEAN, {}, f'{DENSE_FILE}: key "in_features" is null, expected an integer from 1 to 16777216', {}),
    ([POOLING, DENSE], MEAN, {}, f'{DENSE_FILE}: key "in_features" is 16, expected 32, which the module before gives',
     {**WIDE, "in_features": 16}),
    ([POOLING, DENSE], MEAN, {},
     f'{DENSE_FILE}: key "activation_function" is "torch.nn.Mish", supported: Identity, Tanh, ReLU, GELU of torch.nn', {**WIDE, "activation_function": "torch.nn.Mish"}),
    ([POOLING, DENSE], MEAN, {}, f'{DENSE_FILE}: key "module_input_name" is "token_embeddings", supported: sentence_embedding',
     {**WIDE, "module_input_name": "token_embeddings"}),
    ([POOLING, DENSE], MEAN, {}, f'there is no "{folder}/2_Dense/model.safetensors", from which the weights of a Dense module are read', WIDE),
    ([POOLING, DENSE], MEAN, {}, f'"{folder}/2_Dense/model.safetensors": tensor "linear.weight" is missing', WIDE, {}),
    ([POOLING, DENSE], MEAN, {}, f'"{folder}/2_Dense/model.safetensors": tensor "linear.weight" has shape [8], expected [8, 32]', WIDE,
     {"linear.weight": ("F32", [8])}),
    ([POOLING, DENSE], MEAN, {}, f'"{folder}/2_Dense/model.safetensors": tensor "linear.weight" is F64, expected F32, F16 or BF16', WIDE,
     {"linear.weight": ("F64", [8, 32])}),
    ([POOLING, DENSE], MEAN, {}, None, {**WIDE, "bias": False}, {"linear.weight": ("BF16", [8, 32])}),
    ([POOLING], {**MEAN, "pooling_mode_max_tokens": True}, {},
     f'"{folder}/1_Pooling/config.json" sets mean and max pooling: vectors of several kinds are not supported'),
    ([POOLING], {"pooling_mode_weightedmean_tokens": True}, {},
     f'"{folder}/1_Pooling/config.json": key "pooling_mode_weightedmean_tokens" is true, which is not supported'),
    ([{**POOLING, "path": "../x"}], MEAN, {}, f'"{folder}/modules.json": the path "../x" leaves the folder'),
    ([POOLING], MEAN, {"do_lower_case": True}, f'"{folder}/sentence_bert_config.json'
     '": key "do_lower_case" is true: texts in lower case before the tokenizer are not supported'),
    ([POOLING], {"word_embedding_dimension": 32}, {}, f'"{folder}/1_Pooling/config.json'
     '" sets no kind of pooling that is supported: cls, mean, max, mean_sqrt_len, lasttoken'),
    (None, MEAN, {}, f'"{folder}/modules.json" is not a list of modules'),
    ([POOLING] + [DENSE] * 63, MEAN, {}, f'"{folder}/modules.json" has 65 modules, expected at most 64'),
]


def write(name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file)


def write_tensors(tensors):
    header, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = math.prod(shape) * {"F64": 8, "F32": 4, "BF16": 2}[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "2_Dense", "model.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + bytes(end))


good = 0
os.makedirs(os.path.join(folder, "2_Dense"), exist_ok=True)
for modules, pooling, settings, error, *dense in CASES:
    if dense:
        write("2_Dense/config.json", dense[0])
    if len(dense) > 1:
        write_tensors(dense[1])
    write("modules.json", {} if modules is None else [{"type": TYPES + "Transformer", "path": ""}, *modules])
    write("1_Pooling/config.json", pooling)
    write("sentence_bert_config.json", settings)
    done = subprocess.run(["xfmr-compile", folder, "--target=cpu", "--levels=native", "-o", folder + ".modules.xfm"], capture_output=True, text=True)
    found = done.stderr.strip() if done.returncode else None
    expected = error and "xfmr-compile: error: " + error
    if found == expected:
        good += 1
    else:
        print(f"expected {expected}\n  got {found}")
print(f"{good} of {len(CASES)} as said")
