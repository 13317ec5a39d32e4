#!/bin/sh
# latent.sh PYTHON SCRIPTS MINIS FOLDER: a miniature of DeepSeek V3 on both targets, in chunks short enough to stay absorbed (4) and long
# enough to expand keys and values (32), and of each on caches of 16 and 8 bits.
python=$1 scripts=$2 minis=$3 folder=$4
check() { # NAME TOLERANCE PROMPTS OPTIONS…
  name=$1 tolerance=$2 prompts=$3
  shift 3
  xfmr-compile "$minis/deepseek-v3" --max-context=128 "$@" -o "$folder/m.xfm" 2> "$folder/out" &&
    $python "$scripts/check_model.py" xfmr-run "$folder/m.xfm" --expected "$minis/deepseek-v3/expected" --tolerance "$tolerance" \
      --prompts "$prompts" > "$folder/out" && echo "$name: ok" || { cat "$folder/out"; echo "$name: failed"; }
}
check "cpu 4" 2e-4 4 --target=cpu --kv=f32 --chunk=4
check "cpu 32" 2e-4 4 --target=cpu --kv=f32 --chunk=32
check "vulkan 4" 2e-3 4 --target=vulkan --kv=f32 --chunk=4
check "vulkan 32" 2e-3 4 --target=vulkan --kv=f32 --chunk=32
# Numbers of a row are rounded by 2^-12 of themselves, or by 1/254 of the largest: the bounds are three to four times what that was
# measured to do to the logits of the first prompt, 0.0066 and 0.055.
check "cpu 32 f16" 2e-2 1 --target=cpu --kv=f16 --chunk=32
check "vulkan 32 q8" 2e-1 1 --target=vulkan --kv=q8 --chunk=32
check "cpu 4 q8" 2e-1 1 --target=cpu --kv=q8 --chunk=4
