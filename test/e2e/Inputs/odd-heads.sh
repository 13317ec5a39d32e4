#!/bin/sh
# odd-heads.sh PYTHON SCRIPTS TEMPLATE FOLDER HEAD_DIM..: for each odd size a Llama whose heads turn all columns but the last, and a
# model without rotations (TEMPLATE) over the same weights, compiled for each target, the first with a context of one split,
# the second of several, against the interpreter.
set -e
python=$1 scripts=$2 template=$3 folder=$4
shift 4
. "$(dirname "$0")/against-interpreter.sh"
ids=1,5,3,9,14,2,7,11,4,6,13,8,10

# check NAME MODEL CONTEXT: on each target
check() {
  name=$1 of=$2 context=$3
  for target in vulkan cpu; do
    against_interpreter "head_dim $d, $name, $target" "$of" 8 2e-4 --target=$target --max-context "$context"
  done
}

for d in "$@"; do
  model=$folder/d$d
  # The least factor that leaves d - 1 columns, with room for rounding.
  $python "$scripts/make_checkpoint.py" llama "$model" --config hidden_size=24 --config num_attention_heads=3 \
    --config num_key_value_heads=1 --config head_dim="$d" --config max_position_embeddings=600 \
    --config partial_rotary_factor="$($python -c "print(($d - 0.5) / $d)")"
  [ "$d" = 1 ] || check rotated "$model" 64
  sed "s/@Q@/$((3 * d))/g; s/@D@/$d/g" "$template" > "$model/model.mlir"
  check plain "$model/model.mlir" 600
done
