#!/bin/sh
# cpu-minis.sh PYTHON SCRIPTS SHARED FOLDER: every miniature with a decoder, and stories260K, compiled for the CPU and compared
# with its expected values.
python=$1 scripts=$2 shared=$3 folder=$4
for model in "$shared/stories260K" "$shared/tales-gpt2" "$shared"/minis/*; do
  case $(basename "$model") in
  llama-lora | switch | t5 | *bert*) continue ;; # no decoder of its own, or a family that import refuses
  esac
  [ -f "$model/expected/logits.safetensors" ] || continue
  xfmr-compile "$model" --target=cpu --kv f32 --levels=native -o "$folder/m.xfm" &&
    $python "$scripts/check_model.py" xfmr-run "$folder/m.xfm" --expected "$model/expected" --tolerance 2e-4 |
    grep -v "greedy ids equal" || echo "$model failed"
done
