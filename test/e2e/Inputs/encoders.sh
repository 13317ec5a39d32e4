#!/bin/sh
# encoders.sh PYTHON SOURCE FOLDER TARGET TOLERANCE: miniatures of encoders compiled for a target: hidden states and vectors by every
# kind of pooling, asked for on the command line or said by the checkpoint's modules. A line each.
set -e
python=$1 source=$2 folder=$3 target=$4 tolerance=$5
compiled() { # NAME FAMILY OPTION..: a miniature
  name=$1 family=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$name" "$@"
  xfmr-compile "$folder/$name" --target="$target" --levels=native -o "$folder/$name.xfm"
}
check() { # NAME OPTION..: against expected values
  name=$1
  shift
  $python "$source/test/scripts/check_encoder.py" xfmr-run "$folder/$name.xfm" --expected "$folder/$name/expected" --tolerance "$tolerance" "$@"
}
compiled bert bert
check bert
check bert --pooling cls
check bert --pooling max --normalize
check bert --pooling mean_sqrt_len
check bert --pooling last --normalize
compiled roberta roberta --config hidden_size=36 --config num_attention_heads=3
check roberta
compiled distilbert distilbert
check distilbert --pooling cls
compiled electra electra
check electra
compiled mpnet mpnet
check mpnet
compiled modernbert modernbert
check modernbert
compiled modernbert-near modernbert --config local_attention=6 --config num_hidden_layers=3 --config num_attention_heads=2
check modernbert-near --pooling cls --normalize

# A folder of sentence-transformers says how to pool.
compiled sentences bert
mkdir "$folder/sentences/1_Pooling"
cat > "$folder/sentences/modules.json" <<END
[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
 {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
END
echo '{"word_embedding_dimension": 32, "pooling_mode_cls_token": false, "pooling_mode_max_tokens": true}' > "$folder/sentences/1_Pooling/config.json"
xfmr-compile "$folder/sentences" --target="$target" --levels=native -o "$folder/sentences.xfm"
check sentences --by-model --pooling max --normalize

# Dense modules behind the pooling; with a pooling of one's own they are left out.
compiled dense distilbert
$python "$source/test/e2e/Inputs/dense_modules.py" "$folder/dense"
xfmr-compile "$folder/dense" --target="$target" --levels=native -o "$folder/dense.xfm"
check dense --by-model --normalize --dense "$folder/dense/2_Dense" --dense "$folder/dense/3_Dense"
check dense --pooling cls

# Two texts as one: ids of the second segment are as much higher as there are words.
for family in bert electra; do
  $python "$source/scripts/make-fixture" $family "$folder/$family-pairs" --segments
  xfmr-compile "$folder/$family-pairs" --target="$target" --pairs --levels=native -o "$folder/$family-pairs.xfm"
  check $family-pairs --pairs 96
done
