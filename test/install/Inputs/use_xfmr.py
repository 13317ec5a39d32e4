"""What python/xfmr.py offers, on the bundled model."""
import sys

import xfmr

model = xfmr.Model(sys.argv[1], device="cpu")
print(xfmr.version(), "cpu", [each["device"] for each in xfmr.devices(model)][:2])
print(model.complete("Once upon a time", 12))
print(model.complete("Once upon a time", 40, stop=["."]))
session = model.session()
prompt = model.encode("Once upon a time")
session.prefill(prompt)
row = session.logits()
print(session.generate(4), session.finish, session.position)
print(len(row), "logits, the largest at", row.index(max(row)))
session.reset()
session.prefill(prompt)
seen = []
session.generate(20, lambda token: seen.append(token) or len(seen) < 3)
print(session.finish, "after", len(seen))
for call in (lambda: model.session().prefill([5000]), lambda: model.chat([{"role": "user", "content": "x"}])):
    try:
        call()
    except xfmr.Error as error:
        print(f"error {error.status}: {error}")
draws = [model.complete("Once upon", 30, temperature=1.0, min_p=0.02, seed=seed) for seed in (1, 1, 2)]
print("seeds:", "equal," if draws[0] == draws[1] else "different,", "other" if draws[2] != draws[0] else "the same")
