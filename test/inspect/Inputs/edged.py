#!/usr/bin/env python3
"""edged.py TOKENIZER OUT: a tokenizer whose texts stand between the tokens 0 and 1."""
import json
import sys

tokenizer = json.load(open(sys.argv[1]))
spelled = {id: token for token, id in tokenizer["model"]["vocab"].items()}
special = lambda id: {"id": spelled[id], "ids": [id], "tokens": [spelled[id]]}
place = lambda id: {"SpecialToken": {"id": spelled[id], "type_id": 0}}
tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": [place(0), {"Sequence": {"id": "A", "type_id": 0}}, place(1)],
                               "pair": [place(0), {"Sequence": {"id": "A", "type_id": 0}}, place(1), {"Sequence": {"id": "B", "type_id": 1}}, place(1)],
                               "special_tokens": {spelled[id]: special(id) for id in (0, 1)}}
json.dump(tokenizer, open(sys.argv[2], "w"))
