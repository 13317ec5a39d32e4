// Kernels that only the CPU has.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels)))"

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel row_codes: only the CPU has it}}
  xfmr.executable @k #xfmr.row_codes<>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel gemv_q4_codes: only the CPU reads rows of codes}}
  xfmr.executable @k #xfmr.gemv<weight = q4, codes>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel row_pairs: only the CPU has it}}
  xfmr.executable @k #xfmr.row_pairs
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{kernel gemm_bf16_pairs: only the CPU reads rows of pairs}}
  xfmr.executable @k #xfmr.gemm<weight = bf16, pairs>
}
