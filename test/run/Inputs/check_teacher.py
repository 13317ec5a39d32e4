#!/usr/bin/env python3
"""check_teacher.py FOLDER FILE.xfm K: a teacher's shards against the logits that the same artifact gives for each window."""
import glob
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

folder, artifact, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
positions = 0
for path in sorted(glob.glob(folder + "/*.safetensors")):
    shard = safetensors.read(path)
    (windows, length), ids = shard["ids"]
    for w in range(windows):
        window = [int(i) for i in ids[w * length:(w + 1) * length]]
        with tempfile.TemporaryDirectory() as work:
            out = os.path.join(work, "logits.safetensors")
            subprocess.run(["xfmr-run", artifact, "--prompt-ids", ",".join(map(str, window)), "-n", "0", "--ids", "--logits", out], check=True,
                           stdout=subprocess.DEVNULL)
            (_, vocab), logits = safetensors.read(out)["logits"]
        for t in range(length - 1):
            at = w * (length - 1) + t
            row = logits[t * vocab:(t + 1) * vocab]
            most = max(row)
            norm = most + math.log(math.fsum(math.exp(x - most) for x in row))
            order = sorted(range(vocab), key=lambda i: (-row[i], i))
            tokens = [int(i) for i in shard["tokens"][1][at * k:(at + 1) * k]]
            if tokens != order[:k]:
                sys.exit("window %d, position %d: tokens %s, expected %s" % (w, t, tokens, order[:k]))
            for i, told in zip(order, shard["log_probabilities"][1][at * k:(at + 1) * k]):
                assert abs(told - (row[i] - norm)) <= 2e-7 * (1 + abs(told)), (told, row[i] - norm) # f32
            left = math.fsum(math.exp(row[i] - norm) for i in order[k:])
            assert abs(shard["left"][1][at] - left) <= 1e-12 * left, (shard["left"][1][at], left)
            told = shard["next"][1][at]
            assert abs(told - (row[window[t + 1]] - norm)) <= 2e-7 * (1 + abs(told))
            positions += 1
print("%d positions: tokens, log-probabilities and what is left are those of the logits" % positions)
