"""disassemble.py OBJDUMP FILE: the machine code of each variant of serialised executables, under a line 'EXECUTABLE LEVEL:'."""
import re
import subprocess
import sys
import tempfile

objdump, text = sys.argv[1], open(sys.argv[2]).read()
executable = level = None
for match in re.finditer(r'xfmr\.executable @(\w+)|xfmr\.variant "(\w+)"|"0x([0-9A-F]+)"', text):
    executable, level = match[1] or executable, match[2] or level
    if not match[3]:
        continue
    with tempfile.NamedTemporaryFile(suffix=".o") as file:
        file.write(bytes.fromhex(match[3]))
        file.flush()
        code = subprocess.run([objdump, "-d", "--no-show-raw-insn", "--no-leading-addr", "--mattr=+all", file.name],
                              capture_output=True, text=True, check=True).stdout
    print(f"{executable} {level}:")
    for line in code.splitlines():
        if line.startswith((" ", "\t")):
            print(" ".join(line.split()))
