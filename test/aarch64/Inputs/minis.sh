#!/bin/sh
# minis.sh PYTHON SCRIPTS SHARED FOLDER: miniatures compiled for aarch64 and compared with their expected values by FOLDER/run.
python=$1 scripts=$2 shared=$3 folder=$4 good=0
[ -d "$shared/minis" ] || { echo "no reference checkpoints in $shared"; exit 0; }
for name in llama-bf16 llama-f16 gemma3 gpt2 gpt-oss mixtral qwen3-moe deepseek-v2; do
  xfmr-compile "$shared/minis/$name" --target=cpu --triple=aarch64-linux-gnu --kv f32 -o "$folder/m.xfm" &&
    $python "$scripts/check_model.py" "$folder/run" "$folder/m.xfm" --expected "$shared/minis/$name/expected" --prompts 1 &&
    good=$((good + 1)) || echo "$name failed"
done
echo "$good ok"
