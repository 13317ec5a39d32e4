#!/usr/bin/env python3
"""Texts for tokenizers, each ended by a zero byte: the lines of files, and odd ones from a fixed seed. records.py FILE…"""
import random
import sys

ODD = ["", " ", "  ", "\n", "\n\n \t", "Hello world", " Hello  World!", "it's I'LL we'Re 'S", "3 33 333 3333 33333", "12.5% of $1,000",
       "naïve café — Ünïcödé", "нещо на Български", "日本語の文章です。", "한국어 문장", "🦙🦙 🚀 👩‍👩‍👧", "a\u0301 e\u0301\u0301", "ﬁ ½ ²", "\u00a0x\u2003y",
       "if (x == 0) {\n\treturn y[i++];\n}\n", "</s> <s> <|endoftext|> <unk>", "....!!!???", "_under_score__", "\r\nwin\r\n", "ZWJ\u200d\u200b"]


def main(paths):
    records = list(ODD)
    for path in paths:
        with open(path, encoding="utf-8") as file:
            records += file.read().splitlines()
    generator = random.Random(1)
    letters = "aeiou tnshr  ETAO01239.,'\"!?-\n\té漢ж🙂"
    records += ["".join(generator.choice(letters) for _ in range(generator.randrange(60))) for _ in range(2000)]
    sys.stdout.buffer.write(b"".join(record.encode() + b"\0" for record in records))


if __name__ == "__main__":
    main(sys.argv[1:])
