#!/usr/bin/env python3
"""Prints a tokenizer.json of BERT's kind with 96 words: word_piece.py [--cased]"""
import json
import string
import sys

cased = "--cased" in sys.argv
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
words = special + list(string.ascii_lowercase) + ["##" + letter for letter in string.ascii_lowercase]
words += ["the", "##ing", "##er", "was", "once", "upon", "time", "##ly", ".", ",", "!", "'", "é", "日", "and", "##nd", "A", "B"]
words += [str(digit) for digit in range(10)]
words += [f"[unused{number}]" for number in range(96 - len(words))]
print(json.dumps({
    "version": "1.0",
    "added_tokens": [{"id": number, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                      "special": True} for number, word in enumerate(special)],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                   "strip_accents": False if cased else None, "lowercase": not cased},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                  {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                       "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                                {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
                       "special_tokens": {name: {"id": name, "ids": [special.index(name)], "tokens": [name]}
                                          for name in ("[CLS]", "[SEP]")}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
              "vocab": {word: number for number, word in enumerate(words)}}}))
