#!/bin/sh
# cpu-bits.sh MODEL FOLDER CHUNK OTHER [LEVELS]: logits and text of a prompt for 1, 2 and 3 threads, for prefill runs of at most CHUNK and
# OTHER tokens, and step by step; each the same bytes as the first.
set -e
model=$1 folder=$2 levels=$5
ids=1,5,300,9,14,2,7,11,412,6,13,8,10,77,301,44,23,90,91,92,17,18,19,20,21,33,34,35,36,37,38,39,40
compile() { xfmr-compile "$model" --target=cpu ${levels:+--levels=$levels} --chunk "$1" -o "$folder/bits.xfm"; }
run() { # a name, then options
  name=$1
  shift
  xfmr-run "$folder/bits.xfm" --prompt-ids $ids -n 24 --ids --ignore-eos --logits "$folder/$name.safetensors" "$@" > "$folder/$name.ids"
}
same() { cmp "$folder/first.ids" "$folder/$1.ids" && cmp "$folder/first.safetensors" "$folder/$1.safetensors" && echo "equal: $1"; }
compile 256
run first --threads 1
run two --threads 2
same two
run three --threads 3
same three
compile "$3"
run small --threads 2
same small
compile "$4"
run other --threads 1
same other
compile 1
run single --threads 2
same single
