"""letters_tokenizer.py FOLDER | --text ID..: a tokenizer.json (Unigram, as T5 has it) of 96 pieces: letters, letters behind a space, pairs
of letters; or what these ids say."""
import json
import os
import string
import sys

LETTERS = string.ascii_lowercase
PIECES = ["<pad>", "</s>", "<unk>", "▁"] + list(LETTERS) + ["▁" + letter for letter in LETTERS]
PIECES += [LETTERS[i % 26] + LETTERS[(3 * i + 1 + i // 26) % 26] for i in range(96 - len(PIECES))]


def special(number):
    return {"id": number, "content": PIECES[number], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True}


def main():
    if sys.argv[1] == "--text":
        pieces = [PIECES[int(word)] for word in sys.argv[2:]]
        return print("".join(piece for piece in pieces if not piece.startswith("<")).replace("▁", " ").removeprefix(" "))
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(i) for i in range(3)],
                 "normalizer": None, "pre_tokenizer": space,
                 "post_processor": {"type": "TemplateProcessing", "single": [text, end],
                                    "pair": [text, end, {"Sequence": {"id": "B", "type_id": 0}}, end],
                                    "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
                 "decoder": space,
                 "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": False,
                           "vocab": [[piece, 0.0 if i < 3 else -2.0 - i / 100] for i, piece in enumerate(PIECES)]}}
    with open(os.path.join(sys.argv[1], "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(tokenizer, file)


if __name__ == "__main__":
    main()
