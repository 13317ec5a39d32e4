// Serialising what is not lowered.
// RUN: xfmr-opt %s --xfmr-serialize-executables --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{expected a spirv.module, found gpu.module; run xfmr-lower-executables first}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      gpu.module @copy {
      }
    }
  }
}
