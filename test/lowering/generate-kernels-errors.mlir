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
