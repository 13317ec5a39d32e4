// What xfmr-verify-stage refuses at the stage "emit". Constraint numbers are those of passes/lowering/ExecutablePasses.td.
// RUN: xfmr-opt %s --xfmr-verify-stage="stage=emit" --split-input-file --verify-diagnostics

// C6
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{variant portable has no code in the stage emit}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      gpu.module @copy {
      }
    }
  }
}
