#!/bin/sh
# encoder-decoders.sh PYTHON SOURCE FOLDER TARGET TOLERANCE: miniatures that read a source, compiled for a target. A line each.
set -e
python=$1 source=$2 folder=$3 target=$4 tolerance=$5
check() { # NAME FAMILY COMPILE-OPTIONS OPTION..: a miniature
  name=$1 family=$2 options=$3
  shift 3
  $python "$source/scripts/make-fixture" "$family" "$folder/$name" "$@"
  xfmr-compile "$folder/$name" --target="$target" $options --levels=native -o "$folder/$name.xfm"
  $python "$source/test/scripts/check_model.py" xfmr-run "$folder/$name.xfm" --expected "$folder/$name/expected" --source --tolerance "$tolerance" | tail -1
}
check t5 t5 "" # contexts of 512: keys in splits
check t5-short t5 "--max-context=64 --chunk=8" --config num_heads=5
# A head of its own is not scaled by hidden_size^-1/2: logits and their errors are sqrt(32) times those of the others.
tolerance=$($python -c "print($tolerance * 32 ** 0.5)")
check t5-flan t5 "--max-context=64" --config 'feed_forward_proj="gated-gelu"' --config tie_word_embeddings=false --config d_kv=12
tolerance=$5
check switch switch "--max-context=64"
check switch-full switch "--max-context=64 --chunk=8" --config expert_capacity=5 --config encoder_sparse_step=1
