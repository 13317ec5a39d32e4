// Ops that no kernel computes: the error names the op and its layer.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --xfmr-form-regions

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %b = xfmr.block 3 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%h: tensor<1x8xf32>):
      %p = xfmr.position
      // expected-error @below {{'xfmr.rope' op in layer 3: a rotary embedding must feed the query or key of one attention}}
      %r = xfmr.rope half %h at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      xfmr.yield %r : tensor<1x8xf32>
    }
    xfmr.yield %b : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    // expected-error @below {{'xfmr.attention' op no kernel computes this op}}
    %a = xfmr.attention %x, %x, %x heads 2 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
    xfmr.yield %a : tensor<1x8xf32>
  }
}
