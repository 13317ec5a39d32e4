#!/bin/sh
# families.sh PYTHON SOURCE FOLDER: miniatures of test/families compiled for both targets, against their expected values.
set -e
python=$1 source=$2 folder=$3
check() { # FAMILY TARGET TOLERANCE
  xfmr-compile "$folder/$1" --target="$2" --kv f32 --levels=native -o "$folder/$1.$2.xfm"
  $python "$source/test/scripts/check_model.py" xfmr-run "$folder/$1.$2.xfm" --expected "$folder/$1/expected" --tolerance "$3" | tail -1
}
for family in arcee bloom cohere cohere2 dots1 ernie4_5 ernie4_5_moe exaone4 falcon glm glm4 gpt_bigcode gpt_neo gptj granitemoeshared helium \
              minimax_m2 ministral3 mpt olmo3 opt phi seed_oss smollm3 stablelm starcoder2; do
  $python "$source/scripts/make-fixture" $family "$folder/$family"
  check $family cpu 2e-4
  check $family vulkan 2e-3
done
