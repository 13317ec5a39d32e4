#!/bin/sh
# encoders.sh PYTHON SOURCE FOLDER: miniatures of encoders made by scripts/make-fixture and interpreted. A line each.
set -e
python=$1 source=$2 folder=$3
check() { # NAME FAMILY OPTION..: a miniature
  name=$1 family=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$name" "$@"
  $python "$source/test/scripts/check_encoder.py" xfmr-interpret "$folder/$name" --tolerance 1e-5 | tail -1
}
check bert bert
check bert-inside bert --prefix bert.
check bert-old-names bert --rename LayerNorm.weight=LayerNorm.gamma --rename LayerNorm.bias=LayerNorm.beta
check bert-tanh bert --config 'hidden_act="gelu_new"' --config num_attention_heads=2
check roberta roberta --prefix roberta.
check xlm-roberta roberta --config 'model_type="xlm-roberta"' --config pad_token_id=3 --config max_position_embeddings=68
check distilbert distilbert
check distilbert-inside distilbert --prefix distilbert. --config n_heads=2 --config 'activation="relu"'
check electra electra
check electra-inside electra --prefix electra. --config embedding_size=32
check mpnet mpnet
check mpnet-inside mpnet --prefix mpnet. --config num_attention_heads=2
check modernbert modernbert
check modernbert-biases modernbert --config norm_bias=true --config attention_bias=true --config mlp_bias=true --config local_attention=6
check modernbert-inside modernbert --rename model.=
