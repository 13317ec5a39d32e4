"""SentencePiece's compiled table of replacements (`precompiled_charsmap`), made here: base64 of u32 the bytes of a trie, the trie as a
double array, and the replacements with a NUL behind each. A unit of the array has the byte that leads to it (bits 0 to 7), whether a key
ends there (8), and the distance to its children by exclusive or (from 10); the child 0 of such a unit holds the replacement's place."""
import base64
import struct
import unicodedata


def composed():
    """Like nmt_nfkc: compatibility forms of the first plane and letters with one mark composed, spaces to one kind, no controls."""
    table = {}
    for code in range(1, 0x10000):
        c = chr(code)
        form = unicodedata.normalize("NFKC", c)
        if form != c and not 0xAC00 <= code < 0xD7A4:
            table[c] = form
        decomposed = unicodedata.normalize("NFD", c)
        if len(decomposed) == 2 and form == c and unicodedata.combining(decomposed[1]):
            table[decomposed] = form
    table.update({chr(code): "" for code in [*range(1, 9), *range(14, 32), 0x7F]})
    table.update({c: " " for c in "\t\n\x0b\x0c\r\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\u200b\ufeff" +
                  "".join(map(chr, range(0x2000, 0x200B)))})
    return table


def charsmap(table):
    root = {}
    texts, places = b"", {}
    for key, value in table.items():
        if value not in places:
            places[value] = len(texts)
            texts += value.encode() + b"\0"
        node = root
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = places[value]
    units, used, bases, start = {0: 0}, {0}, set(), 1
    pending = [(root, 0)]
    while pending:
        node, at = pending.pop()
        first = min(node)
        free = start
        while True:  # a base whose places for all children are free
            base = free ^ first
            if free not in used and base not in bases and all(base ^ byte not in used for byte in node) and (base ^ at) < 1 << 21:
                break
            free += 1
        while start in used:
            start += 1
        bases.add(base)
        units[at] |= (base ^ at) << 10 | (1 << 8 if 0 in node else 0)
        for byte, child in node.items():
            used.add(base ^ byte)
            units[base ^ byte] = 1 << 31 | child if byte == 0 else byte
            if byte:
                pending.append((child, base ^ byte))
    count = max(units) // 256 * 256 + 256
    trie = struct.pack(f"<{count}I", *(units.get(i, 0) for i in range(count)))
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + texts).decode()
