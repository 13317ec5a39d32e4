// What xfmr-verify-stage refuses at the stage "codegen". Constraint numbers are those of passes/lowering/ExecutablePasses.td.
// RUN: xfmr-opt %s --xfmr-verify-stage="stage=codegen" --split-input-file --verify-diagnostics

// C5
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{@copy has no variant after the stage codegen}}
  xfmr.executable @copy #xfmr.elementwise<>
}

// -----

// C5
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{variant portable holds gpu.module after the stage codegen, expected spirv.module}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      gpu.module @copy {
      }
    }
  }
}
