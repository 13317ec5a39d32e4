#!/bin/sh
# odd-heads.sh PYTHON SCRIPTS TEMPLATE FOLDER HEAD_DIM..: for each odd size a Llama whose heads turn all columns but the last, and a
# model without rotations (TEMPLATE) over the same weights, compiled for each target, the first with a context of one split,
# the second of several, against the interpreter.
set -e
python=$1 scripts=$2 template=$3 folder=$4
shift 4
ids=1,5,3,9,14,2,7,11,4,6,13,8,10

# check NAME MODEL CONTEXT: logits of every position and greedy ids
check() {
  xfmr-interpret "$2" --prompt-ids $ids -n 8 --ids --ignore-eos --logits "$folder/want.safetensors" > "$folder/want"
  for target in vulkan cpu; do
    xfmr-compile "$2" --target=$target --max-context "$3" --kv f32 -o "$folder/m.xfm"
    xfmr-run "$folder/m.xfm" --prompt-ids $ids -n 8 --ids --ignore-eos --logits "$folder/got.safetensors" > "$folder/got"
    cmp "$folder/got" "$folder/want"
    $python "$scripts/check_logits.py" "$folder/got.safetensors" "$folder/want.safetensors" --tolerance 2e-4
    echo "ok: head_dim $d, $1, $target"
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
