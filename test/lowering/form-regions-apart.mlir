// Near misses of fusion that a remark names: what stays apart and why.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --xfmr-form-regions

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
    %g = xfmr.weight "g" : tensor<4xf32>
    %p = xfmr.position
    %qn = xfmr.rms_norm %q, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<4xf32>
    %kn = xfmr.rms_norm %k, %g eps 1.0e-6 : tensor<1x8xf32>, tensor<4xf32>
    // expected-remark @below {{norms of heads stay apart from this attention: the norms of queries and keys differ in eps or offset}}
    %o = xfmr.cached_attention %qn, %kn, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
    xfmr.yield %o : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %g = xfmr.weight "g" : tensor<4xf32>
    %w = xfmr.weight "w" : tensor<16x8xf32>
    // expected-remark @below {{stays apart from the products that read it: the norm is one of heads, not of the row}}
    %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<4xf32>
    %y = xfmr.linear %n, %w : (tensor<1x8xf32>, tensor<16x8xf32>) -> tensor<1x16xf32>
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %g = xfmr.weight "g" : tensor<8xf32>
    %r = xfmr.weight "r" : tensor<4x8xf32>
    %up = xfmr.weight "up" : tensor<4x6x8xf32>
    %down = xfmr.weight "down" : tensor<4x8x6xf32>
    // expected-remark @below {{stays apart from the router: something reads the norm before the experts are done}}
    %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<8xf32>
    %s = xfmr.softcap %n cap 3.0 : tensor<1x8xf32>
    %m = xfmr.moe %n router %r experts(%up, %down) routing <top_k = 2, score = softmax>
        : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
    ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
      %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
      %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
      %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
      xfmr.yield %u3 : tensor<?x8xf32>
    }
    %y = xfmr.mul %m, %s : tensor<1x8xf32>
    xfmr.yield %y : tensor<1x8xf32>
  }
}
