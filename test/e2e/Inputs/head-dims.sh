#!/bin/sh
# head-dims.sh PYTHON SCRIPTS FOLDER HEAD_DIM..: a Llama with random weights for each size, compiled with a context of one
# split and of several, against the interpreter.
set -e
python=$1 scripts=$2 folder=$3
shift 3
ids=1,5,3,9,14,2,7,11,4,6,13,8,10
for d in "$@"; do
  model=$folder/d$d
  $python "$scripts/make_checkpoint.py" llama "$model" --config hidden_size=24 --config num_attention_heads=3 \
    --config num_key_value_heads=1 --config head_dim="$d" --config max_position_embeddings=600
  xfmr-interpret "$model" --prompt-ids $ids -n 12 --ids --ignore-eos --logits "$folder/want.safetensors" > "$folder/want"
  for context in 64 600; do
    xfmr-compile "$model" --target=vulkan --max-context $context --kv f32 -o "$folder/m.xfm"
    xfmr-run "$folder/m.xfm" --prompt-ids $ids -n 12 --ids --ignore-eos --logits "$folder/got.safetensors" > "$folder/got"
    cmp "$folder/got" "$folder/want"
    $python "$scripts/check_logits.py" "$folder/got.safetensors" "$folder/want.safetensors" --tolerance 2e-4
    echo "ok: head_dim $d, context $context"
  done
done
