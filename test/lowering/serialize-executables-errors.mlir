// Serialising what is not lowered.
// RUN: xfmr-opt %s --split-input-file --xfmr-serialize-executables --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{expected a spirv.module, found gpu.module; run xfmr-lower-executables first}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      gpu.module @copy {
      }
    }
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{kernel to an object: translation: cannot be converted to LLVM IR: missing `LLVMTranslationDialectInterface` registration for dialect for op: func.func}}
    xfmr.variant "v3" workgroup [1, 1, 1] {
      builtin.module {
        func.func @copy() {
          return
        }
      }
    }
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{kernel to an object: it holds assembly, which is not read here}}
    xfmr.variant "v3" workgroup [1, 1, 1] {
      builtin.module {
        llvm.func @copy() {
          llvm.inline_asm has_side_effects "no instruction", "" : () -> ()
          llvm.return
        }
      }
    }
  }
}
