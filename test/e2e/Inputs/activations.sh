#!/bin/sh
# activations.sh PYTHON SCRIPTS FOLDER WORD..: a small Llama with each hidden_act on each target against the interpreter.
set -e
python=$1 scripts=$2 folder=$3
shift 3
ids=1,5,3,9,14,2,7
for word in "$@"; do
  $python "$scripts/make_checkpoint.py" llama "$folder/$word" --config hidden_act="\"$word\""
  xfmr-interpret "$folder/$word" --prompt-ids $ids -n 4 --ids --ignore-eos --logits "$folder/want.safetensors" > "$folder/want"
  for target in vulkan cpu; do
    xfmr-compile "$folder/$word" --target=$target --kv f32 --max-context 16 -o "$folder/m.xfm"
    xfmr-run "$folder/m.xfm" --prompt-ids $ids -n 4 --ids --ignore-eos --logits "$folder/got.safetensors" > "$folder/got"
    cmp "$folder/got" "$folder/want"
    $python "$scripts/check_logits.py" "$folder/got.safetensors" "$folder/want.safetensors" --tolerance 1e-5
    echo "ok: $word, $target"
  done
done
