// What the code of kernels needs.
// RUN: xfmr-opt %s --split-input-file --xfmr-generate-kernels --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{its code for the CPU needs params, found none}}
  xfmr.executable @copy #xfmr.elementwise<>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel 'moe_gemm_first_f32_m128': tiles have at most 64 rows on Vulkan}}
  xfmr.executable @k #xfmr.moe_gemm<tile_rows = 128>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel 'k': the CPU's attention_decode writes no caches and combines nothing}}
  xfmr.executable @k #xfmr.attention_decode<head_dim = 16, single, caches> params #xfmr.attention_decode_params<num_heads = 1, num_kv_heads = 1, max_context = 8>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel 'k': the CPU samples in one part}}
  xfmr.executable @k #xfmr.sample<part = best> params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel 'k': the CPU's moe_router does not spread experts}}
  xfmr.executable @k #xfmr.moe_router<experts = 32, top_k = 2, spread> params #xfmr.moe_router_params<k = 16, max_rows = 1, x = <stride = 16>>
}
