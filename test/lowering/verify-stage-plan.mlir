// What xfmr-verify-stage refuses at the stage "plan". Constraint numbers are those of passes/lowering/ExecutablePasses.td.
// RUN: xfmr-opt %s --xfmr-verify-stage="stage=plan" --split-input-file --verify-diagnostics

// C3
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
    // expected-error @below {{is a temporary without a place after the stage plan}}
    %x = memref.alloc() : memref<1x16xf32>
    xfmr.yield
  }
}

// -----

// C3
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.phase decode rows 1 {
    %x = xfmr.buffer_ref @hidden : memref<1x16xf32>
    // expected-error @below {{is a temporary without a place after the stage plan}}
    %low = memref.subview %x[0, 0] [1, 8] [1, 1] : memref<1x16xf32> to memref<1x8xf32, strided<[16, 1]>>
    xfmr.yield
  }
}

// -----

// C4
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.phase decode rows 1 {
    // expected-error @below {{ends at byte 80 of @hidden, which has 64}}
    %x = xfmr.buffer_ref @hidden offset 16 : memref<1x16xf32>
    xfmr.yield
  }
}
