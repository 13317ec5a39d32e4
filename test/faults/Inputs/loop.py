"""loop.py SHIM FOLDER KIND[:MOST] OUTPUT... -- COMMAND...: lets the n-th call of a kind fail for n = 1, 2, ... until the command succeeds.

Every time it fails: status 1, one error line (and no crash), OUTPUT as it was before (absent, or "old"), nothing else left in
FOLDER. With MOST at most so many n, spread evenly. KIND alloc:40 tries 40 of all requests. With XFMR_FAULT_SIGNAL the process
gets that signal instead and has to end by it, as quietly; after the 9th files *.partial-* may be left. Where it ends after its
last step (a signal, no memory), OUTPUT may be new and whole.
"""
import os
import subprocess
import sys

split = sys.argv.index("--")
shim, folder, kind, output = sys.argv[1:split]
command = sys.argv[split + 1 :]
kind, _, most = kind.partition(":")
folder = os.path.realpath(folder)
output = os.path.join(folder, output)
signal = int(os.environ.get("XFMR_FAULT_SIGNAL", "0"))
counter = folder + ".count"
environment = {**os.environ, "XFMR_FAULT": kind, "XFMR_FAULT_UNDER": folder, "ASAN_OPTIONS": "allocator_may_return_null=1"}
if kind == "alloc":
    environment["XFMR_OBJECT_CACHE"] = "0"  # LLVM's requests are among them


def prepare(with_old):
    subprocess.run(["rm", "-rf", output])
    if with_old:
        with open(output, "w", encoding="utf-8") as file:
            file.write("old")


def listed():
    return sorted(os.path.join(place, name) for place, folders, names in os.walk(folder) for name in folders + names)


def run(number, **more):
    return subprocess.run(command, capture_output=True, text=True, errors="replace",
                          env={**environment, **more, "LD_PRELOAD": shim, "XFMR_FAULT_N": str(number)})


prepare(False)
clean = run(-1, XFMR_FAULT_COUNT=counter)
if clean.returncode != 0:
    sys.exit(f"without a fault: {clean.stderr}")
with open(counter, encoding="utf-8") as file:
    total = int(file.read())


def contents():
    """Every file and folder below FOLDER, with what the files hold."""
    return {name: open(name, "rb").read() if os.path.isfile(name) else None for name in listed()}


whole = contents()
keeps_old = os.path.isfile(output)
numbers = list(range(1, total + 1))
if most and len(numbers) > int(most):
    numbers = sorted({1 + i * (total - 1) // (int(most) - 1) for i in range(int(most))})
harmless = 0
for number in numbers:
    prepare(keeps_old)
    before = contents()
    result = run(number)
    where = f"{kind} {number} of {total}"
    if result.returncode == 0:  # the call did not matter: what was asked for is there
        harmless += 1
        if contents() != whole:
            sys.exit(f"{where}: success with another result")
        continue
    if signal and (result.returncode != -signal or result.stderr):
        sys.exit(f"{where}: status {result.returncode} after signal {signal}, {result.stderr[-400:]}")
    if not signal and (result.returncode != 1 or ": error: " not in result.stderr):
        sys.exit(f"{where}: status {result.returncode}, {result.stderr[-400:]}")
    if signal == 9:
        for name in filter(os.path.exists, set(listed()) - set(before)):
            if os.path.relpath(name, folder).partition(".partial-")[1]:
                subprocess.run(["rm", "-rf", name])
    after = contents()
    if after != before and not (after == whole and (signal or kind == "alloc")):
        changed = {name for name in {*after, *before} if after.get(name, 0) != before.get(name, 0)}
        sys.exit(f"{where}: left or changed {changed}")
print(f"ok {kind}: {len(numbers)} of {total} calls failed in turn, {harmless} without consequence")
