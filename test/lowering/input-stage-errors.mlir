// Text of a stage that breaks its rules is refused before anything is done with it, however late the stage.
// RUN: xfmr-opt %s --xfmr-pipeline="until=emit" --split-input-file --verify-diagnostics

// As serialised, but for one kernel.
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<> {
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<0> : tensor<1xi32> {}
  }
  // expected-error @below {{@scale has no variant after the stage codegen}}
  xfmr.executable @scale #xfmr.elementwise<op = scale>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<> {
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<0> : tensor<1xi32> {}
  }
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // expected-error @below {{is a temporary without a place after the stage plan}}
    %x = memref.alloc() : memref<1x16xf32>
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state read, %x read, %x write) : memref<32xi32>, memref<1x16xf32>, memref<1x16xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<> {
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<0> : tensor<1xi32> {}
  }
  xfmr.phase decode rows 1 {
  ^bb0(%x: memref<1x16xf32>):
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // expected-error @below {{uses a buffer that is neither a temporary nor one of the program's}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state read, %x read, %x write) : memref<32xi32>, memref<1x16xf32>, memref<1x16xf32>
    xfmr.yield
  }
}
