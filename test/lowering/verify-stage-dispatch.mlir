// What xfmr-verify-stage refuses at the stage "dispatch". Constraint numbers are those of passes/lowering/ExecutablePasses.td.
// RUN: xfmr-opt %s --xfmr-verify-stage="stage=dispatch" --split-input-file --verify-diagnostics

// C1
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%token: tensor<1xi32>):
    // expected-error @below {{works on tensors after the stage dispatch}}
    %table = xfmr.weight "embed" : tensor<32x16xf32>
    %x = xfmr.embedding %token, %table : (tensor<1xi32>, tensor<32x16xf32>) -> tensor<1x16xf32>
    xfmr.yield %x : tensor<1x16xf32>
  }
}

// -----

// C2
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
  ^bb0(%x: memref<1x16xf32>):
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // expected-error @below {{uses a buffer that is neither a temporary nor one of the program's}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state read, %x read, %x write) : memref<32xi32>, memref<1x16xf32>, memref<1x16xf32>
    xfmr.yield
  }
}
