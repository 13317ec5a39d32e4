"""sentence_modules.py FOLDER: modules and settings of a sentence-transformers folder and what xfmr-compile answers to them."""
import json
import os
import subprocess
import sys

folder = sys.argv[1]
TYPES = "sentence_transformers.models."
POOLING = {"type": TYPES + "Pooling", "path": "1_Pooling"}
MEAN = {"pooling_mode_mean_tokens": True}

# modules behind the transformer, 1_Pooling/config.json, sentence_bert_config.json, the error or None
CASES = [
    ([POOLING, {"type": TYPES + "Normalize", "path": "2_Normalize"}], MEAN, {"max_seq_length": 32, "do_lower_case": False}, None),
    ([POOLING], {"pooling_mode": "lasttoken"}, {}, None),
    ([POOLING, {"type": TYPES + "Dense", "path": "2_Dense"}], MEAN, {},
     f'"{folder}/modules.json": the module "{TYPES}Dense" is not supported, expected Transformer, Pooling, Normalize'),
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
]


def write(name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file)


good = 0
for modules, pooling, settings, error in CASES:
    write("modules.json", {} if modules is None else [{"type": TYPES + "Transformer", "path": ""}, *modules])
    write("1_Pooling/config.json", pooling)
    write("sentence_bert_config.json", settings)
    done = subprocess.run(["xfmr-compile", folder, "--target=cpu", "-o", folder + ".modules.xfm"], capture_output=True, text=True)
    found = done.stderr.strip() if done.returncode else None
    expected = error and "xfmr-compile: error: " + error
    if found == expected:
        good += 1
    else:
        print(f"expected {expected}\n  got {found}")
print(f"{good} of {len(CASES)} as said")
