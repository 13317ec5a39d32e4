#!/usr/bin/env python3
"""known.py RECORDS: those that are not empty, valid UTF-8, and of characters of the basic plane that Unicode 3.2 (Python's old table)
knows. @huggingface/tokenizers sees Chinese characters of other planes as letters, where the Rust library does not."""
import sys
import unicodedata

for record in open(sys.argv[1], "rb").read().split(b"\0")[:-1]:
    text = record.decode("utf-8", "replace")
    if text and "\ufffd" not in text and not any(unicodedata.ucd_3_2_0.category(c) == "Cn" or c > "\uffff" for c in text):
        sys.stdout.buffer.write(record + b"\0")
