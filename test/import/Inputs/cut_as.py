#!/usr/bin/env python3
"""Lets a tokenizer.json cut text as the models do whose GGUF files say tokenizer.ggml.pre = NAME: cut_as.py NAME tokenizer.json
Patterns are those of the tokenizer.json files published with such models (gpt2, SmolLM, Llama 3, Qwen2, Qwen3.5, Mistral NeMo, GPT-4o,
DeepSeek V3, DeepSeek LLM, DeepSeek Coder, Command R)."""
import json
import sys

ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + "+%s|" + r"[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER + "*%s|"
LETTERS = "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗ"
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = dict(BYTES, use_regex=True)
DIGITS = {"type": "Digits", "individual_digits": True}


def split(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


LLAMA3 = split(ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES)
QWEN2 = split(ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES)
LINES, HAN = split("[\r\n]"), split("[一-龥\u0800-一가-\ud7ff]+")
STEPS = {
    "gpt-2": [GPT2],
    "smollm": [DIGITS, GPT2],
    "command-r": [DIGITS, GPT2],
    "llama-bpe": [LLAMA3, BYTES],
    "smaug-bpe": [LLAMA3, BYTES],
    "qwen2": [QWEN2, BYTES],
    "qwen35": [split(ENDINGS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + SPACES), BYTES],
    "tekken": [split(CASED % ("", "") + r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + SPACES), BYTES],
    "gpt-4o": [split(CASED % (ENDINGS + "?", ENDINGS + "?") + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + SPACES), BYTES],
    "deepseek-v3": [split(r"\p{N}{1,3}"), split("[一-龥\u3040-\u309f\u30a0-\u30ff]+"),
                    split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
                          + SPACES), BYTES],
    # Letters beyond these scripts do not occur in what this is compared on.
    "deepseek-llm": [LINES, split(r"\s?[" + LETTERS + "]+"), split(r"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+"), split(r"\s+$"), HAN, DIGITS, BYTES],
    "deepseek-coder": [LINES, split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), HAN, DIGITS, BYTES],
}

if __name__ == "__main__":
    name, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        tokenizer = json.load(file)
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": STEPS[name]}
    tokenizer["normalizer"] = {"type": "NFC"} if name in ("qwen2", "command-r") else None
    tokenizer["model"]["ignore_merges"] = name in ("llama-bpe", "tekken")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(tokenizer, file)
