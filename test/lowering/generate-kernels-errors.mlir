// What the code of kernels needs.
// RUN: xfmr-opt %s --xfmr-generate-kernels --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{its code for the CPU needs params, found none}}
  xfmr.executable @copy #xfmr.elementwise<>
}
