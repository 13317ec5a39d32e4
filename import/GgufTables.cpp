// The names that tensors have in GGUF files, a table a family. Sources: the GGUF specification and the tensors that published files hold.
#include "import/GgufTables.h"
#include <array>

namespace xfmr::gguf {

static constexpr TensorForm vector = TensorForm::vector, transposed = TensorForm::transposed, rows = TensorForm::rows,
                            entry = TensorForm::entry, halves = TensorForm::halves,
                            alternating = TensorForm::alternating, keyValue = TensorForm::keyValue;

/// Tables one behind the other.
template <size_t M, size_t N>
static constexpr std::array<GgufName, M + N> joined(const GgufName (&first)[M], const GgufName (&second)[N]) {
  std::array<GgufName, M + N> all{};
  for (size_t i = 0; i < M + N; ++i)
    all[i] = i < M ? first[i] : second[i - M];
  return all;
}

// What most families share; looked through behind a family's own table.
static constexpr GgufName kCommonTable[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
    {"model.layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"model.layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"model.layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"model.layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"model.layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"model.layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm"},
    {"model.layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm"},
    {"model.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"model.layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kCommonNames = kCommonTable;

static constexpr GgufName kMixtral[] = {
    {"model.layers.{}.block_sparse_moe.gate", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.block_sparse_moe.experts.{}.w1", "blk.{}.ffn_gate_exps", entry},
    {"model.layers.{}.block_sparse_moe.experts.{}.w3", "blk.{}.ffn_up_exps", entry},
    {"model.layers.{}.block_sparse_moe.experts.{}.w2", "blk.{}.ffn_down_exps", entry},
};
const llvm::ArrayRef<GgufName> kMixtralNames = kMixtral;

static constexpr GgufName kMiniMaxM2Own[] = {
    {"model.layers.{}.block_sparse_moe.e_score_correction_bias", "blk.{}.exp_probs_b.bias"},
};
static constexpr auto kMiniMaxM2 = joined(kMiniMaxM2Own, kMixtral);
const llvm::ArrayRef<GgufName> kMiniMaxM2Names = kMiniMaxM2;

static constexpr GgufName kQwenMoe[] = {
    {"model.layers.{}.mlp.gate", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.mlp.experts.{}.gate_proj", "blk.{}.ffn_gate_exps", entry},
    {"model.layers.{}.mlp.experts.{}.up_proj", "blk.{}.ffn_up_exps", entry},
    {"model.layers.{}.mlp.experts.{}.down_proj", "blk.{}.ffn_down_exps", entry},
    {"model.layers.{}.mlp.shared_expert.gate_proj", "blk.{}.ffn_gate_shexp"},
    {"model.layers.{}.mlp.shared_expert.up_proj", "blk.{}.ffn_up_shexp"},
    {"model.layers.{}.mlp.shared_expert.down_proj", "blk.{}.ffn_down_shexp"},
    {"model.layers.{}.mlp.shared_expert_gate", "blk.{}.ffn_gate_inp_shexp", vector},
};
const llvm::ArrayRef<GgufName> kQwenMoeNames = kQwenMoe;

static constexpr GgufName kGraniteMoe[] = {
    {"model.layers.{}.block_sparse_moe.router.layer", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.block_sparse_moe.input_linear", "blk.{}.ffn_gate_exps|blk.{}.ffn_up_exps", halves},
    {"model.layers.{}.block_sparse_moe.output_linear", "blk.{}.ffn_down_exps"},
};
const llvm::ArrayRef<GgufName> kGraniteMoeNames = kGraniteMoe;

// Norms behind attention and network; Gemma has others in front too.
static constexpr GgufName kSandwich[] = {
    {"model.layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm"},
    {"model.layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm"},
    {"model.layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm"},
};
const llvm::ArrayRef<GgufName> kSandwichNames = kSandwich;

static constexpr GgufName kPhi[] = {
    {"model.final_layernorm", "output_norm"},
    {"model.layers.{}.self_attn.dense", "blk.{}.attn_output"},
    {"model.layers.{}.mlp.fc1", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.fc2", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kPhiNames = kPhi;

static constexpr GgufName kPhi3[] = {
    {"model.layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv"},
    {"model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up"},
};
const llvm::ArrayRef<GgufName> kPhi3Names = kPhi3;

static constexpr GgufName kGlm4[] = {
    {"model.layers.{}.post_self_attn_layernorm", "blk.{}.post_attention_norm"},
    {"model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up"},
    {"model.layers.{}.post_mlp_layernorm", "blk.{}.post_ffw_norm"},
};
const llvm::ArrayRef<GgufName> kGlm4Names = kGlm4;

static constexpr GgufName kStarcoder2[] = {
    {"model.layers.{}.mlp.c_fc", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.c_proj", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kStarcoder2Names = kStarcoder2;

static constexpr GgufName kSeedOss[] = {
    {"model.layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm"},
};
const llvm::ArrayRef<GgufName> kSeedOssNames = kSeedOss;

static constexpr GgufName kGptNeox[] = {
    {"gpt_neox.embed_in", "token_embd"},
    {"gpt_neox.final_layer_norm", "output_norm"},
    {"embed_out", "output"},
    {"gpt_neox.layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"gpt_neox.layers.{}.attention.query_key_value", "blk.{}.attn_qkv", rows},
    {"gpt_neox.layers.{}.attention.dense", "blk.{}.attn_output"},
    {"gpt_neox.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"gpt_neox.layers.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up"},
    {"gpt_neox.layers.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kGptNeoxNames = kGptNeox;

static constexpr GgufName kGpt2[] = {
    {"transformer.wte", "token_embd"},
    {"transformer.wpe", "position_embd"},
    {"transformer.ln_f", "output_norm"},
    {"transformer.h.{}.ln_1", "blk.{}.attn_norm"},
    {"transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv", transposed},
    {"transformer.h.{}.attn.c_proj", "blk.{}.attn_output", transposed},
    {"transformer.h.{}.ln_2", "blk.{}.ffn_norm"},
    {"transformer.h.{}.mlp.c_fc", "blk.{}.ffn_up", transposed},
    {"transformer.h.{}.mlp.c_proj", "blk.{}.ffn_down", transposed},
};
const llvm::ArrayRef<GgufName> kGpt2Names = kGpt2;

static constexpr GgufName kBigcode[] = {
    {"transformer.wte", "token_embd"},
    {"transformer.wpe", "position_embd"},
    {"transformer.ln_f", "output_norm"},
    {"transformer.h.{}.ln_1", "blk.{}.attn_norm"},
    {"transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv", rows},
    {"transformer.h.{}.attn.c_proj", "blk.{}.attn_output"},
    {"transformer.h.{}.ln_2", "blk.{}.ffn_norm"},
    {"transformer.h.{}.mlp.c_fc", "blk.{}.ffn_up"},
    {"transformer.h.{}.mlp.c_proj", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kBigcodeNames = kBigcode;

// Falcon with two norms a block has the network's as the first; attention of one norm and BLOOM's have the names of the others.
static constexpr GgufName kFalconBloom[] = {
    {"transformer.word_embeddings", "token_embd"},
    {"transformer.word_embeddings_layernorm", "token_embd_norm"},
    {"transformer.ln_f", "output_norm"},
    {"transformer.h.{}.input_layernorm", "blk.{}.attn_norm"},
    {"transformer.h.{}.ln_mlp", "blk.{}.attn_norm"},
    {"transformer.h.{}.ln_attn", "blk.{}.attn_norm_2"},
    {"transformer.h.{}.self_attention.query_key_value", "blk.{}.attn_qkv", rows},
    {"transformer.h.{}.self_attention.dense", "blk.{}.attn_output"},
    {"transformer.h.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"transformer.h.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up"},
    {"transformer.h.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kFalconBloomNames = kFalconBloom;

static constexpr GgufName kMpt[] = {
    {"transformer.wte", "token_embd"},
    {"transformer.norm_f", "output_norm"},
    {"transformer.blocks.{}.norm_1", "blk.{}.attn_norm"},
    {"transformer.blocks.{}.attn.Wqkv", "blk.{}.attn_qkv"},
    {"transformer.blocks.{}.attn.out_proj", "blk.{}.attn_output"},
    {"transformer.blocks.{}.norm_2", "blk.{}.ffn_norm"},
    {"transformer.blocks.{}.ffn.up_proj", "blk.{}.ffn_up"},
    {"transformer.blocks.{}.ffn.down_proj", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kMptNames = kMpt;

static constexpr GgufName kGptOss[] = {
    {"model.layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm"},
    {"model.layers.{}.self_attn.sinks", "blk.{}.attn_sinks.weight"},
    {"model.layers.{}.mlp.router", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.mlp.experts.gate_up_proj", "blk.{}.ffn_gate_exps.weight|blk.{}.ffn_up_exps.weight", alternating},
    {"model.layers.{}.mlp.experts.gate_up_proj_bias", "blk.{}.ffn_gate_exps.bias|blk.{}.ffn_up_exps.bias", alternating},
    {"model.layers.{}.mlp.experts.down_proj", "blk.{}.ffn_down_exps.weight"},
    {"model.layers.{}.mlp.experts.down_proj_bias", "blk.{}.ffn_down_exps.bias"},
};
const llvm::ArrayRef<GgufName> kGptOssNames = kGptOss;

/// Experts beside shared ones.
static constexpr GgufName kSharedMixture[] = {
    {"model.layers.{}.mlp.gate", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.mlp.experts.{}.gate_proj", "blk.{}.ffn_gate_exps", entry},
    {"model.layers.{}.mlp.experts.{}.up_proj", "blk.{}.ffn_up_exps", entry},
    {"model.layers.{}.mlp.experts.{}.down_proj", "blk.{}.ffn_down_exps", entry},
    {"model.layers.{}.mlp.shared_experts.gate_proj", "blk.{}.ffn_gate_shexp"},
    {"model.layers.{}.mlp.shared_experts.up_proj", "blk.{}.ffn_up_shexp"},
    {"model.layers.{}.mlp.shared_experts.down_proj", "blk.{}.ffn_down_shexp"},
};

static constexpr GgufName kDeepseekOwn[] = {
    {"model.layers.{}.self_attn.q_a_proj", "blk.{}.attn_q_a"},
    {"model.layers.{}.self_attn.q_a_layernorm", "blk.{}.attn_q_a_norm"},
    {"model.layers.{}.self_attn.q_b_proj", "blk.{}.attn_q_b"},
    {"model.layers.{}.self_attn.kv_a_proj_with_mqa", "blk.{}.attn_kv_a_mqa"},
    {"model.layers.{}.self_attn.kv_a_layernorm", "blk.{}.attn_kv_a_norm"},
    {"model.layers.{}.self_attn.kv_b_proj", "blk.{}.attn_k_b|blk.{}.attn_v_b|blk.{}.attn_kv_b", keyValue},
    {"model.layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias"},
};
static constexpr auto kDeepseek = joined(kDeepseekOwn, kSharedMixture);
const llvm::ArrayRef<GgufName> kDeepseekNames = kDeepseek;

static constexpr GgufName kGlm4MoeOwn[] = {
    {"model.layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm"},
    {"model.layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias"},
};
static constexpr auto kGlm4Moe = joined(kGlm4MoeOwn, kSharedMixture);
const llvm::ArrayRef<GgufName> kGlm4MoeNames = kGlm4Moe;

static constexpr GgufName kDots1Own[] = {
    {"model.layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias"},
};
static constexpr auto kDots1 = joined(kDots1Own, kSharedMixture);
const llvm::ArrayRef<GgufName> kDots1Names = kDots1;

static constexpr GgufName kErnieMoeOwn[] = {
    {"model.layers.{}.mlp.moe_statics.e_score_correction_bias", "blk.{}.exp_probs_b.bias", vector},
};
static constexpr auto kErnieMoe = joined(kErnieMoeOwn, kSharedMixture);
const llvm::ArrayRef<GgufName> kErnieMoeNames = kErnieMoe;

static constexpr GgufName kLlama4[] = {
    {"model.layers.{}.feed_forward.gate_proj", "blk.{}.ffn_gate"},
    {"model.layers.{}.feed_forward.up_proj", "blk.{}.ffn_up"},
    {"model.layers.{}.feed_forward.down_proj", "blk.{}.ffn_down"},
    {"model.layers.{}.feed_forward.router", "blk.{}.ffn_gate_inp"},
    {"model.layers.{}.feed_forward.experts.{}.gate_proj", "blk.{}.ffn_gate_exps", entry},
    {"model.layers.{}.feed_forward.experts.{}.up_proj", "blk.{}.ffn_up_exps", entry},
    {"model.layers.{}.feed_forward.experts.{}.down_proj", "blk.{}.ffn_down_exps", entry},
    {"model.layers.{}.feed_forward.shared_expert.gate_proj", "blk.{}.ffn_gate_shexp"},
    {"model.layers.{}.feed_forward.shared_expert.up_proj", "blk.{}.ffn_up_shexp"},
    {"model.layers.{}.feed_forward.shared_expert.down_proj", "blk.{}.ffn_down_shexp"},
};
const llvm::ArrayRef<GgufName> kLlama4Names = kLlama4;

static constexpr GgufName kBert[] = {
    {"bert.embeddings.word_embeddings", "token_embd"},
    {"bert.embeddings.position_embeddings", "position_embd"},
    {"bert.embeddings.token_type_embeddings", "token_types"},
    {"bert.embeddings.LayerNorm", "token_embd_norm"},
    {"bert.encoder.layer.{}.attention.self.query", "blk.{}.attn_q"},
    {"bert.encoder.layer.{}.attention.self.key", "blk.{}.attn_k"},
    {"bert.encoder.layer.{}.attention.self.value", "blk.{}.attn_v"},
    {"bert.encoder.layer.{}.attention.output.dense", "blk.{}.attn_output"},
    {"bert.encoder.layer.{}.attention.output.LayerNorm", "blk.{}.attn_output_norm"},
    {"bert.encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up"},
    {"bert.encoder.layer.{}.output.dense", "blk.{}.ffn_down"},
    {"bert.encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm"},
};
const llvm::ArrayRef<GgufName> kBertNames = kBert;

static constexpr GgufName kModernBert[] = {
    {"model.embeddings.tok_embeddings", "token_embd"},
    {"model.embeddings.norm", "token_embd_norm"},
    {"model.final_norm", "output_norm"},
    {"model.layers.{}.attn_norm", "blk.{}.attn_norm"},
    {"model.layers.{}.attn.Wqkv", "blk.{}.attn_qkv"},
    {"model.layers.{}.attn.Wo", "blk.{}.attn_output"},
    {"model.layers.{}.mlp_norm", "blk.{}.ffn_norm"},
    {"model.layers.{}.mlp.Wi", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.Wo", "blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kModernBertNames = kModernBert;

static constexpr GgufName kT5[] = {
    {"shared", "token_embd"},
    {"encoder.final_layer_norm", "enc.output_norm"},
    {"encoder.block.{}.layer.0.layer_norm", "enc.blk.{}.attn_norm"},
    {"encoder.block.{}.layer.0.SelfAttention.q", "enc.blk.{}.attn_q"},
    {"encoder.block.{}.layer.0.SelfAttention.k", "enc.blk.{}.attn_k"},
    {"encoder.block.{}.layer.0.SelfAttention.v", "enc.blk.{}.attn_v"},
    {"encoder.block.{}.layer.0.SelfAttention.o", "enc.blk.{}.attn_o"},
    {"encoder.block.{}.layer.0.SelfAttention.relative_attention_bias", "enc.blk.{}.attn_rel_b"},
    {"encoder.block.{}.layer.1.layer_norm", "enc.blk.{}.ffn_norm"},
    {"encoder.block.{}.layer.1.DenseReluDense.wi", "enc.blk.{}.ffn_up"},
    {"encoder.block.{}.layer.1.DenseReluDense.wi_0", "enc.blk.{}.ffn_gate"},
    {"encoder.block.{}.layer.1.DenseReluDense.wi_1", "enc.blk.{}.ffn_up"},
    {"encoder.block.{}.layer.1.DenseReluDense.wo", "enc.blk.{}.ffn_down"},
    {"decoder.final_layer_norm", "dec.output_norm"},
    {"decoder.block.{}.layer.0.layer_norm", "dec.blk.{}.attn_norm"},
    {"decoder.block.{}.layer.0.SelfAttention.q", "dec.blk.{}.attn_q"},
    {"decoder.block.{}.layer.0.SelfAttention.k", "dec.blk.{}.attn_k"},
    {"decoder.block.{}.layer.0.SelfAttention.v", "dec.blk.{}.attn_v"},
    {"decoder.block.{}.layer.0.SelfAttention.o", "dec.blk.{}.attn_o"},
    {"decoder.block.{}.layer.0.SelfAttention.relative_attention_bias", "dec.blk.{}.attn_rel_b"},
    {"decoder.block.{}.layer.1.layer_norm", "dec.blk.{}.cross_attn_norm"},
    {"decoder.block.{}.layer.1.EncDecAttention.q", "dec.blk.{}.cross_attn_q"},
    {"decoder.block.{}.layer.1.EncDecAttention.k", "dec.blk.{}.cross_attn_k"},
    {"decoder.block.{}.layer.1.EncDecAttention.v", "dec.blk.{}.cross_attn_v"},
    {"decoder.block.{}.layer.1.EncDecAttention.o", "dec.blk.{}.cross_attn_o"},
    {"decoder.block.{}.layer.2.layer_norm", "dec.blk.{}.ffn_norm"},
    {"decoder.block.{}.layer.2.DenseReluDense.wi", "dec.blk.{}.ffn_up"},
    {"decoder.block.{}.layer.2.DenseReluDense.wi_0", "dec.blk.{}.ffn_gate"},
    {"decoder.block.{}.layer.2.DenseReluDense.wi_1", "dec.blk.{}.ffn_up"},
    {"decoder.block.{}.layer.2.DenseReluDense.wo", "dec.blk.{}.ffn_down"},
};
const llvm::ArrayRef<GgufName> kT5Names = kT5;

} // namespace xfmr::gguf
