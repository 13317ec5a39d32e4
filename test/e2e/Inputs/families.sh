#!/bin/sh
# families.sh PYTHON SOURCE FOLDER TARGET TOLERANCE: miniatures of test/families compiled for a target, against their expected values.
set -e
python=$1 source=$2 folder=$3 target=$4 tolerance=$5
for family in arcee bloom cohere cohere2 ernie4_5 ernie4_5_moe exaone4 falcon gpt_bigcode gptj mpt olmo3 opt phi seed_oss smollm3 stablelm starcoder2; do
  $python "$source/scripts/make-fixture" $family "$folder/$family"
  xfmr-compile "$folder/$family" --target="$target" --kv f32 --levels=native -o "$folder/$family.xfm"
  $python "$source/test/scripts/check_model.py" xfmr-run "$folder/$family.xfm" --expected "$folder/$family/expected" --tolerance "$tolerance" | tail -1
done
