#!/bin/sh
# head-dims.sh PYTHON SCRIPTS FOLDER HEAD_DIM..: a Llama with random weights for each size, compiled with a context of one
# split and of several, against the interpreter.
set -e
python=$1 scripts=$2 folder=$3
shift 3
. "$(dirname "$0")/against-interpreter.sh"
ids=1,5,3,9,14,2,7,11,4,6,13,8,10
for d in "$@"; do
  model=$folder/d$d
  $python "$scripts/make_checkpoint.py" llama "$model" --config hidden_size=24 --config num_attention_heads=3 \
    --config num_key_value_heads=1 --config head_dim="$d" --config max_position_embeddings=600
  for context in 64 600; do
    against_interpreter "head_dim $d, context $context" "$model" 12 2e-4 --target=vulkan --max-context $context
  done
done
