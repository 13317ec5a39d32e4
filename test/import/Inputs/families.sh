#!/bin/sh
# families.sh PYTHON SOURCE FOLDER: miniatures of families, with options that make them other models, made by scripts/make-fixture
# and interpreted; exported whole and with fused projections, every tensor comes back byte for byte. A line each.
set -e
python=$1 source=$2 folder=$3
check() { # NAME FAMILY OPTION..: a miniature
  name=$1 family=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$name" "$@"
  $python "$source/test/scripts/check_model.py" xfmr-interpret "$folder/$name" --tolerance 1e-5 | tail -1
  xfmr-export "$folder/$name" --format=hf -o "$folder/$name-whole"
  $python "$source/test/export/Inputs/check_safetensors.py" "$folder/$name-whole" --equal "$folder/$name"
  xfmr-export "$folder/$name" --passes=xfmr-fuse-glu,xfmr-fuse-qkv --format=hf -o "$folder/$name-fused"
  $python "$source/test/export/Inputs/check_safetensors.py" "$folder/$name-fused" --equal "$folder/$name"
}
check arcee arcee
check arcee-biases arcee --config attention_bias=true --config mlp_bias=true --config tie_word_embeddings=true
check bloom bloom
check cohere cohere
check cohere-bias cohere --config attention_bias=true --config tie_word_embeddings=false
check cohere2 cohere2
check dots1 dots1
check dots1-alone dots1 --config n_shared_experts=0 --config norm_topk_prob=false --config attention_bias=true --config first_k_dense_replace=0
check ernie4_5 ernie4_5
check ernie4_5-biases ernie4_5 --config use_bias=true --config tie_word_embeddings=false
check ernie4_5_moe ernie4_5_moe
check ernie4_5_moe-some ernie4_5_moe --config num_hidden_layers=4 --config moe_layer_interval=2 --config moe_layer_end_index=2 --config moe_layer_start_index=0 --config moe_num_shared_experts=0 --config tie_word_embeddings=false
check exaone4 exaone4
check exaone4-everywhere exaone4 --config sliding_window=null --config 'layer_types=["full_attention","full_attention","full_attention","full_attention"]'
check falcon falcon
check falcon-40b falcon --config new_decoder_architecture=true --config num_kv_heads=2 --config bias=true
check falcon-11b falcon --config new_decoder_architecture=true --config num_kv_heads=2 --config num_ln_in_parallel_attn=1
check falcon-serial falcon --config parallel_attn=false --config multi_query=false --config ffn_hidden_size=40
check glm glm
check glm-whole glm --config attention_bias=false --config tie_word_embeddings=true --config partial_rotary_factor=1.0
check glm4 glm4
check gpt_bigcode gpt_bigcode
check gpt_bigcode-heads gpt_bigcode --config multi_query=false --config n_inner=48 --config scale_attn_weights=false
check gpt_neo gpt_neo
check gpt_neo-width gpt_neo --config intermediate_size=40 --config 'attention_types=[[["local"],2]]' --config tie_word_embeddings=false
check gptj gptj
check granitemoeshared granitemoeshared
check granitemoeshared-alone granitemoeshared --config shared_intermediate_size=0 --config attention_bias=true
check helium helium
check helium-biases helium --config attention_bias=true --config mlp_bias=true --config tie_word_embeddings=true
check minimax_m2 minimax_m2
check minimax_m2-whole minimax_m2 --config rotary_dim=delete
check ministral3 ministral3
check mpt mpt
check mpt-clip mpt --config n_heads=6 --config d_model=36 --config 'attn_config={"alibi":true,"clip_qkv":0.7}'
check olmo3 olmo3
check opt opt
check opt-post-norm opt --config do_layer_norm_before=false --config enable_bias=false
check phi phi
check seed_oss seed_oss
check seed_oss-output seed_oss --config attention_bias=false --config attention_out_bias=true --config mlp_bias=true
check smollm3 smollm3
check stablelm stablelm
check stablelm-parallel stablelm --config use_parallel_residual=true --config use_qkv_bias=false
check starcoder2 starcoder2
