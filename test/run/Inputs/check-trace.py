"""check-trace.py TRACE.json: prints what a trace holds, after checks that every event of a row lies where it may: numbers are
numbers, kernels lie within their run of a phase, runs follow one another."""
import json
import sys

events = json.load(open(sys.argv[1]))["traceEvents"]
assert all(e["pid"] == 1 and e["ph"] in "MXi" for e in events)
names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
print("rows:", ", ".join(names[row] for row in sorted(names)))
runs = [e for e in events if e["ph"] == "X" and e["tid"] == 0]
for before, after in zip(runs, runs[1:]):
    assert before["ts"] + before["dur"] <= after["ts"] + 1e-3, (before, after)
print("runs:", ", ".join(e["name"] for e in runs))
kernels = [e for e in events if e["ph"] == "X" and e["tid"] > 0]
for kernel in kernels:
    assert any(run["cat"] == kernel["cat"] and run["args"]["token"] == kernel["args"]["token"] and run["ts"] - 1e-3 <= kernel["ts"]
               and kernel["ts"] + kernel["dur"] <= run["ts"] + run["dur"] + 1e-3 for run in runs), kernel
print("kernels:", ", ".join(sorted({e["name"] + " " + e["args"]["what"] for e in kernels})))
print("layers:", sorted({e["args"]["layer"] for e in kernels if "layer" in e["args"]}))
