#!/usr/bin/env python3
"""Prints a tokenizer.json of SentencePiece's BPE with 400 tokens:
sentencepiece.py [--bare | --metaspace | --foreign | --around | --digits]

Spaces become marks, and there is one more in front; --bare: there is none (Gemma's form); --metaspace: the pre-tokenizer does both;
--foreign: texts are lowercased too; --around: two tokens stand before a text, and one behind it that does not end generation;
--digits: there are no tokens for anything else."""
import json
import random
import string
import sys

kind = sys.argv[1] if len(sys.argv) > 1 else ""
mark = "▁"
tokens = ["<pad>", "</s>", "<s>", "<unk>", "<sep>"] + [f"<0x{byte:02X}>" for byte in range(256)]
tokens += [mark] + list(string.ascii_letters + ".,!?'-é")
if kind == "--digits":
    tokens = tokens[:5] + [mark] + list(string.digits)
source, merges = random.Random(3), []
while len(tokens) < 400 and kind != "--digits":
    left, right = source.choice(tokens[261:]), source.choice(tokens[262:])
    if left + right not in tokens and len(left + right) < 6:
        merges.append([left, right])
        tokens.append(left + right)
begin, end = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "<sep>", "type_id": 0}}
text = {"Sequence": {"id": "A", "type_id": 0}}
space = {"type": "Replace", "pattern": {"String": " "}, "content": mark}
front = {"type": "Prepend", "prepend": mark}
steps = {"--bare": [space], "--metaspace": [], "--foreign": [{"type": "Lowercase"}, front, space]}.get(kind, [front, space])
meta = {"type": "Metaspace", "replacement": mark, "prepend_scheme": "always", "split": False}
decoders = [{"type": "Replace", "pattern": {"String": mark}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
print(json.dumps({
    "version": "1.0",
    "added_tokens": [{"id": number, "content": tokens[number], "single_word": False, "lstrip": False, "rstrip": False,
                      "normalized": False, "special": True} for number in range(5)],
    "normalizer": {"type": "Sequence", "normalizers": steps} if steps else None,
    "pre_tokenizer": meta if kind == "--metaspace" else None,
    "post_processor": {"type": "TemplateProcessing", "pair": [],
                       "single": [begin, begin, text, end] if kind == "--around" else [begin, text],
                       "special_tokens": {tokens[i]: {"id": tokens[i], "ids": [i], "tokens": [tokens[i]]} for i in (2, 4)}},
    "decoder": {"type": "Sequence", "decoders": decoders + ([] if kind == "--bare" else [{"type": "Strip", "content": " ", "start": 1, "stop": 0}])},
    "model": {"type": "BPE", "unk_token": None if kind == "--digits" else "<unk>", "fuse_unk": True, "byte_fallback": True,
              "vocab": {token: number for number, token in enumerate(tokens)}, "merges": merges}}))
