"""stripped-size.py LIBRARY COPY MOST: strips a copy and fails if it has more bytes than MOST."""
import os
import shutil
import subprocess
import sys

library, copy, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
shutil.copyfile(os.path.realpath(library), copy)
subprocess.run(["llvm-strip", copy], check=True)
size = os.path.getsize(copy)
print(f"{size} bytes of at most {most}")
sys.exit(size > most)
