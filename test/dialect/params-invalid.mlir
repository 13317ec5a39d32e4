// Facts of a dispatch that a kernel has no code for: what the contracts of passes/codegen refuse.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{glu needs gate and up rows in pairs, got n = 63}}
  xfmr.executable @k #xfmr.gemv<epilogue = <glu, activation = silu>> params #xfmr.gemv_params<n = 63, k = 16>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{bias_offset must be a multiple of 4, got 6}}
  xfmr.executable @k #xfmr.gemv<epilogue = <bias>> params #xfmr.gemv_params<n = 64, k = 16, epilogue = <bias_offset = 6>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{x must have a stride and an offset that are multiples of 4, got 18 and 0}}
  xfmr.executable @k #xfmr.gemm<> params #xfmr.gemm_params<n = 64, k = 16, max_rows = 4, x = <stride = 18>, out = <stride = 64>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{max_rows must be positive}}
  xfmr.executable @k #xfmr.gemm<> params #xfmr.gemm_params<n = 64, k = 16, x = <stride = 16>, out = <stride = 64>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{2 groups need per_head}}
  xfmr.executable @k #xfmr.norm<> params #xfmr.norm_params<width = 16, groups = 2, max_rows = 4, x = <stride = 32>, out = <stride = 32>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{rows that begin anywhere need a kernel that is unaligned}}
  xfmr.executable @k #xfmr.norm<> params #xfmr.norm_params<width = 16, max_rows = 4, x = <stride = 18>, out = <stride = 16>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{rotary_dim must be even and from 2 to head_dim = 8, or 0 with style none, got 10}}
  xfmr.executable @k #xfmr.rope_cache<style = half> params #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 8, rotary_dim = 10, max_context = 8, max_rows = 1, q = <stride = 16>, k = <stride = 8>, v = <stride = 8>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{num_heads 3 must be a positive multiple of num_kv_heads 2}}
  xfmr.executable @k #xfmr.attention_decode<head_dim = 64> params #xfmr.attention_decode_params<num_heads = 3, num_kv_heads = 2, max_context = 512>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{a layout needs 1 .. 512 experts, a top_k of them and rows, got 513, 2 and 8}}
  xfmr.executable @k #xfmr.moe_plan<> params #xfmr.moe_plan_params<layout = <experts = 513, top_k = 2, max_rows = 8>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{the layout's tile_rows are 8, the kernel's 16}}
  xfmr.executable @k #xfmr.moe_gemm<tile_rows = 16> params #xfmr.moe_gemm_params<layout = <experts = 4, top_k = 2, max_rows = 8, tile_rows = 8>, n = 32, k = 16, x = <stride = 16>, out = <stride = 16>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{row_stride must be a multiple of 4 and at least vocab = 32, got 31}}
  xfmr.executable @k #xfmr.sample<> params #xfmr.sample_params<vocab = 32, row_stride = 31, output_capacity = 8>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{slice must be a multiple of 256 up to 4096 for a part and 0 for the whole, got 128}}
  xfmr.executable @k #xfmr.sample<part = best> params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 128>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{slice must be a multiple of 256 up to 4096 for a part and 0 for the whole, got 256}}
  xfmr.executable @k #xfmr.sample<> params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{round must be below 8 for a cut and 0 otherwise, got 8}}
  xfmr.executable @k #xfmr.sample<part = cut> params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256, round = 8>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{round must be below 8 for a cut and 0 otherwise, got 1}}
  xfmr.executable @k #xfmr.sample<part = pick> params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256, round = 1>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{max_rows must be 1 where experts are spread, got 4}}
  xfmr.executable @k #xfmr.moe_router<experts = 64, top_k = 2, spread> params #xfmr.moe_router_params<k = 16, max_rows = 4, x = <stride = 16>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{chunk must be positive where the kernel is chunked, and 0 elsewhere}}
  xfmr.executable @k #xfmr.attention_prefill<head_dim = 16> params #xfmr.attention_prefill_params<num_heads = 1, num_kv_heads = 1, max_context = 8, max_rows = 4, q = <stride = 16>, out = <stride = 16>, chunk = 4>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{alibi must be positive where the kernel has it, and 0 elsewhere}}
  xfmr.executable @k #xfmr.attention_prefill<head_dim = 16, alibi> params #xfmr.attention_prefill_params<num_heads = 1, num_kv_heads = 1, max_context = 8, max_rows = 4, q = <stride = 16>, out = <stride = 16>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{alibi must be positive where the kernel has it, and 0 elsewhere}}
  xfmr.executable @k #xfmr.attention_decode<head_dim = 16> params #xfmr.attention_decode_params<num_heads = 1, num_kv_heads = 1, max_context = 8, alibi = 8.0>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{latent needs one kv head, and rotary_dim and head_dim that are multiples of 8}}
  xfmr.executable @k #xfmr.rope_cache<latent> params #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 2, head_dim = 32, rotary_dim = 8, max_context = 8, max_rows = 1, q = <stride = 64>, k = <stride = 8>, v = <stride = 24>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{n must be a multiple of 8, got 12}}
  xfmr.executable @k #xfmr.head_product<> params #xfmr.head_product_params<num_heads = 2, n = 12, k = 8, x_head = 8, out_head = 16, max_rows = 1, x = <stride = 64>, out = <stride = 64>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{copied columns and those of the product must lie within their head}}
  xfmr.executable @k #xfmr.head_product<> params #xfmr.head_product_params<num_heads = 2, n = 8, k = 16, x_head = 8, out_head = 16, max_rows = 1, x = <stride = 64>, out = <stride = 64>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{single takes one row}}
  xfmr.executable @k #xfmr.head_product<single> params #xfmr.head_product_params<num_heads = 2, n = 8, k = 8, x_head = 8, out_head = 8, max_rows = 2, x = <stride = 64>, out = <stride = 64>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{q_head must be a multiple of 8 from rotary_dim on}}
  xfmr.executable @k #xfmr.rope_cache<latent> params #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 32, rotary_dim = 8, max_context = 8, max_rows = 1, q = <stride = 64>, k = <stride = 8>, v = <stride = 24>>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{q_head needs latent}}
  xfmr.executable @k #xfmr.rope_cache<> params #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 32, rotary_dim = 8, max_context = 8, max_rows = 1, q = <stride = 64>, k = <stride = 8>, v = <stride = 24>, q_head = 16>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{rotary_dim must be below head_dim}}
  xfmr.executable @k #xfmr.latent_expand<> params #xfmr.latent_expand_params<num_heads = 2, head_dim = 8, rotary_dim = 8, latent_dim = 24, max_context = 8>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{latent_dim must be a positive multiple of 8, got 20}}
  xfmr.executable @k #xfmr.latent_expand<> params #xfmr.latent_expand_params<num_heads = 2, head_dim = 16, rotary_dim = 8, latent_dim = 20, max_context = 8>
}
