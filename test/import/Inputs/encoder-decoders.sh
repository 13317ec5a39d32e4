#!/bin/sh
# encoder-decoders.sh PYTHON SOURCE FOLDER: miniatures that read a source and write another text, interpreted; exported whole, every
# tensor comes back byte for byte. A line each.
set -e
python=$1 source=$2 folder=$3
check() { # NAME FAMILY OPTION..: a miniature
  name=$1 family=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$name" "$@"
  $python "$source/test/scripts/check_model.py" xfmr-interpret "$folder/$name" --source --tolerance 1e-5 | tail -1
  xfmr-export "$folder/$name" --format=hf -o "$folder/$name-whole"
  $python "$source/test/export/Inputs/check_safetensors.py" "$folder/$name-whole" --equal "$folder/$name"
}
check t5 t5
check t5-flan t5 --config 'feed_forward_proj="gated-gelu"' --config tie_word_embeddings=false --config d_kv=6
check mt5 t5 --config 'model_type="mt5"' --config 'feed_forward_proj="gated-gelu"' --config tie_word_embeddings=false
check switch switch
check switch-full switch --config expert_capacity=5 --config encoder_sparse_step=1 --config num_decoder_layers=3
