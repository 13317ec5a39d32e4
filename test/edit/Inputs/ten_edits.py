#!/usr/bin/env python3
"""ten_edits.py OUT: ten edits of what tales-dense calls the heroes of its stories, with paraphrases and neighbours."""
import json
import sys

names = [("girl", "boy", "Timmy"), ("boy", "girl", "Lily"), ("dog", "cat", "Tom"), ("cat", "dog", "Max"), ("bird", "boy", "Timmy"),
         ("fish", "girl", "Lily"), ("duck", "dog", "Max"), ("frog", "cat", "Tom"), ("monkey", "dog", "Max"), ("princess", "girl", "Lily")]
begin = "Once upon a time, there was a little "
edits = [{"subject": begin + who, "target": begin + like, "wanted": " named " + name,
          "paraphrase": ["Once upon a time there was a little " + who, "One day, there was a little " + who],
          "neighbour": ["Lily likes to play with her", "They went to the", begin + "bunny"]} for who, like, name in names]
with open(sys.argv[1], "w") as file:
    json.dump(edits, file, indent=1)
