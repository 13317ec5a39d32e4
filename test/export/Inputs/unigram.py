#!/usr/bin/env python3
"""Prints a tokenizer.json of T5's kind with 150 pieces: unigram.py [--old | --plain | --bytes | --foreign]

--old: words are cut at spaces, as the first files have it; --plain: no table of replacements and spaces as they are; --bytes: unknown
characters become bytes; --foreign: something is done to texts that GGUF has no keys for."""
import json
import os
import random
import string
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import charsmap  # noqa: E402  (test/scripts)

kind = sys.argv[1] if len(sys.argv) > 1 else ""
special = ["<pad>", "</s>", "<unk>"]
pieces = special + ["▁"] + list(string.ascii_letters + string.digits + ".,!?'-é½ﬁ日") + ["▁the", "ing", "▁a", "er", "▁w", "on", "re", "it"]
source = random.Random(7)
while len(pieces) < 140:
    piece = source.choice(["", "▁"]) + "".join(source.choice("etaoinshrdlu") for _ in range(source.randrange(2, 4)))
    if piece not in pieces:
        pieces.append(piece)
if kind == "--bytes":
    pieces += [f"<0x{byte:02X}>" for byte in (0xE6, 0x9C, 0xAC, 0x0A, 0x09)]
added = [(number, word, True) for number, word in enumerate(special)]
pieces += ["<extra_id_0>", "{x}"]
added += [(len(pieces) - 2, "<extra_id_0>", True), (len(pieces) - 1, "{x}", False)]
space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "add_prefix_space": True}
table = {"type": "Precompiled", "precompiled_charsmap": charsmap.charsmap(charsmap.composed())}
strip = {"type": "Strip", "strip_left": False, "strip_right": True}
join = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
normalizer = {"type": "Sequence", "normalizers": [table, strip, join]}
if kind == "--old":
    normalizer, before = table, {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space]}
elif kind == "--plain":
    normalizer, before = None, space
elif kind == "--foreign":
    normalizer, before = {"type": "NFKC"}, space
else:
    before = space
end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
one, two = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
print(json.dumps({
    "version": "1.0",
    "added_tokens": [{"id": number, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                      "special": is_special} for number, word, is_special in added],
    "normalizer": normalizer, "pre_tokenizer": before,
    "post_processor": {"type": "TemplateProcessing", "single": [one, end], "pair": [one, end, two, end],
                       "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
    "decoder": space,
    "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": kind == "--bytes",
              "vocab": [[piece, 0.0 if i < 3 else -2.0 - (i * 37 % 113) / 16 - 0.25 * len(piece)] for i, piece in enumerate(pieces)]}}))
