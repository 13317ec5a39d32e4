#!/bin/sh
# activations.sh PYTHON SCRIPTS FOLDER WORD..: a small Llama with each hidden_act on each target against the interpreter.
set -e
python=$1 scripts=$2 folder=$3
shift 3
. "$(dirname "$0")/against-interpreter.sh"
ids=1,5,3,9,14,2,7
for word in "$@"; do
  $python "$scripts/make_checkpoint.py" llama "$folder/$word" --config hidden_act="\"$word\""
  for target in vulkan cpu; do
    against_interpreter "$word, $target" "$folder/$word" 4 1e-5 --target=$target --max-context 16
  done
done
