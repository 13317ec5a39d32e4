// What lowering and serialising of kernels refuse.
// RUN: xfmr-opt %s --split-input-file --xfmr-lower-executables --xfmr-serialize-executables --verify-diagnostics

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{variant portable of @copy cannot be turned into SPIR-V}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      gpu.module @copy {
        // expected-error @below {{bf16 must be unpacked from 32-bit words before it is turned into SPIR-V}}
        gpu.func @main(%a: memref<?xbf16>) kernel
            attributes {spirv.entry_point_abi = #spirv.entry_point_abi<workgroup_size = [64, 1, 1]>} {
          gpu.return
        }
      }
    }
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @copy #xfmr.elementwise<> {
    // expected-error @below {{expected a spirv.module, found builtin.module; run xfmr-lower-executables first}}
    xfmr.variant "portable" workgroup [64, 1, 1] {
      builtin.module {
      }
    }
  }
}
