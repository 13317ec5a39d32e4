#!/bin/sh
# gguf_families.sh PYTHON SOURCE MINIS FOLDER: miniatures written as GGUF and read back. The logits are the same, and a folder written of
# the file has the first one's bytes in every tensor, but where norms were stored as 1 + w. Three lines each.
set -e
python=$1 source=$2 minis=$3 folder=$4
round() { # NAME FOLDER [IDS]
  xfmr-export "$2" --format=gguf --type=f32 -o "$folder/$1.gguf" 2> "$folder/$1.notes" || { echo "$1"; cat "$folder/$1.notes"; exit 1; }
  echo "$1"
  $python "$source/test/export/Inputs/same_logits.py" "$folder/$1.gguf" "$2" --ids "${3:-1,7,5,14,9,10,3,2}" | tail -1
  mkdir -p "$folder/$1" && cp "$folder/$1.gguf" "$folder/$1/m.gguf" && cp "$2/config.json" "$folder/$1"
}
back() { # NAME FOLDER [IDS]
  round "$@"
  xfmr-export "$folder/$1/m.gguf" --format=hf -o "$folder/$1/hf"
  $python "$source/test/export/Inputs/check_safetensors.py" "$folder/$1/hf" --equal "$2" | tail -1
}
fixture() { # NAME FAMILY OPTION..
  name=$1 family=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$name-hf" --bare "$@"
  back "$name" "$folder/$name-hf"
}
edited() { # NAME MINIATURE KEY=JSON..: the miniature with other constants, in FOLDER/NAME-hf
  mkdir -p "$folder/$1-hf" && cp "$minis/$2/model.safetensors" "$folder/$1-hf"
  $python - "$minis/$2/config.json" "$folder/$1-hf/config.json" "$@" <<'EOF'
import json, sys
config = json.load(open(sys.argv[1]))
config.update((key, json.loads(value)) for key, value in (entry.split("=", 1) for entry in sys.argv[5:]))
json.dump(config, open(sys.argv[2], "w"))
EOF
}
edited gemma2 gemma2 query_pre_attn_scalar=16
edited gemma3 gemma3 query_pre_attn_scalar=16
edited llama4 llama4 attention_chunk_size=8192 floor_scale=8192 attn_scale=0.1
edited granite llama 'model_type="granite"' embedding_multiplier=2 residual_multiplier=0.5 attention_multiplier=0.2 logits_scaling=3
round gemma "$minis/gemma"
round gemma2 "$folder/gemma2-hf"
round gemma3 "$folder/gemma3-hf"
for name in llama llama-rope-linear llama-rope-yarn mistral mixtral qwen2 qwen2-moe qwen3 qwen3-moe olmo2 olmoe phi3 phimoe \
            gpt2 gpt-neox gpt-oss granite-moe deepseek-v2 deepseek-v3; do
  back $name "$minis/$name"
done
back llama4 "$folder/llama4-hf"
back granite "$folder/granite-hf"
fixture arcee arcee
fixture arcee-biases arcee --config attention_bias=true --config mlp_bias=true
fixture bloom bloom
fixture cohere cohere
fixture cohere2 cohere2
fixture dots1 dots1
fixture dots1-alone dots1 --config n_shared_experts=0 --config sliding_window=null --config layer_types=delete --config norm_topk_prob=false
fixture ernie4_5 ernie4_5
fixture ernie4_5-biases ernie4_5 --config use_bias=true --config tie_word_embeddings=false
fixture ernie4_5_moe ernie4_5_moe
fixture ernie4_5_moe-alone ernie4_5_moe --config num_hidden_layers=3 --config moe_num_shared_experts=0 --config moe_layer_start_index=0
fixture exaone4 exaone4
fixture exaone4-everywhere exaone4 --config sliding_window=null --config 'layer_types=["full_attention","full_attention","full_attention","full_attention"]'
fixture falcon falcon
fixture falcon-40b falcon --config new_decoder_architecture=true --config num_kv_heads=2
fixture falcon-11b falcon --config new_decoder_architecture=true --config num_kv_heads=2 --config num_ln_in_parallel_attn=1
fixture glm4 glm4
fixture glm4-whole glm4 --config attention_bias=false --config tie_word_embeddings=true --config partial_rotary_factor=1.0
fixture gpt_bigcode gpt_bigcode
fixture gpt_bigcode-heads gpt_bigcode --config multi_query=false --config n_inner=48
fixture minimax_m2 minimax_m2
fixture ministral3 ministral3
fixture mpt mpt
fixture mpt-clip mpt --config n_heads=6 --config d_model=36 --config 'attn_config={"alibi":true,"clip_qkv":0.7}'
fixture olmo3 olmo3
fixture phi phi
fixture seed_oss seed_oss
fixture seed_oss-output seed_oss --config attention_bias=false --config attention_out_bias=true --config mlp_bias=true
fixture smollm3 smollm3
fixture stablelm stablelm
fixture stablelm-parallel stablelm --config use_parallel_residual=true --config use_qkv_bias=false
fixture starcoder2 starcoder2
fixture modernbert modernbert
$python "$source/scripts/make-fixture" bert "$folder/bert-hf" --bare
round bert "$folder/bert-hf"
$python "$source/scripts/make-fixture" roberta "$folder/roberta-hf" --bare
round roberta "$folder/roberta-hf"
$python "$source/scripts/make-fixture" distilbert "$folder/distilbert-hf" --bare
round distilbert "$folder/distilbert-hf"
fixture t5 t5 --config relative_attention_max_distance=128
fixture t5-gated t5 --config relative_attention_max_distance=128 --config 'feed_forward_proj="gated-gelu"' --config tie_word_embeddings=false
