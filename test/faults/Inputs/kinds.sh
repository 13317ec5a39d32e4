#!/bin/sh
# kinds.sh PYTHON LOOP SHIM FOLDER OUTPUT COMMAND...: loop.py for every kind of call, or those in $KINDS.
set -e
python=$1 loop=$2 shim=$3 folder=$4 output=$5
shift 5
for kind in ${KINDS:-open read write fsync rename mmap}; do
  $python "$loop" "$shim" "$folder" $kind "$output" -- "$@"
done
