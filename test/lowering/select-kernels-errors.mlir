// What select-kernels refuses: each error once, with the op and its layer.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --xfmr-select-kernels

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %w = xfmr.weight "w" : tensor<16x8xf32>
    // expected-error @below {{'xfmr.linear' op lies in no region: xfmr-form-regions comes before}}
    %y = xfmr.linear %x, %w : (tensor<1x8xf32>, tensor<16x8xf32>) -> tensor<1x16xf32>
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused product layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %w = xfmr.weight "w" : tensor<16x8xf32>
      %l = xfmr.linear %a, %w : (tensor<1x8xf32>, tensor<16x8xf32>) -> tensor<1x16xf32>
      %s = xfmr.scale %l by 2.0 : tensor<1x16xf32>
      // expected-error @below {{'xfmr.activation' op in layer 2: does not fit a product: norm, linear or glu, activation, scale, softcap, residual in this order}}
      %r = xfmr.activation silu %s : tensor<1x16xf32>
      xfmr.yield %r : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused product layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %w = xfmr.weight "w" : tensor<16x8xf32>
      %l = xfmr.linear %a, %w : (tensor<1x8xf32>, tensor<16x8xf32>) -> tensor<1x16xf32>
      // expected-error @below {{'xfmr.activation' op in layer 2: does not fit a product: norm, linear or glu, activation, scale, softcap, residual in this order}}
      %r = xfmr.activation sigmoid %l : tensor<1x16xf32>
      xfmr.yield %r : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused product layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %w = xfmr.weight "w" : tensor<16x8xf32>
      // expected-error @below {{'xfmr.linear' op in layer 2: the region yields a value that its kernel does not write}}
      %l = xfmr.linear %a, %w : (tensor<1x8xf32>, tensor<16x8xf32>) -> tensor<1x16xf32>
      %s = xfmr.scale %l by 2.0 : tensor<1x16xf32>
      xfmr.yield %l : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase all_logits rows 8 {
  ^bb0(%x: tensor<8x8xf32>):
    %y = xfmr.fused product (%x) : (tensor<8x8xf32>) -> tensor<8x16xf32> {
    ^bb0(%a: tensor<8x8xf32>):
      %g = xfmr.weight "g" : tensor<8xf32>
      // expected-error @below {{'xfmr.rms_norm' op products of several rows take no norm}}
      %n = xfmr.rms_norm %a, %g eps 1.0e-5 : tensor<8x8xf32>, tensor<8xf32>
      %w = xfmr.weight "w" : tensor<16x8xf32>
      %l = xfmr.linear %n, %w : (tensor<8x8xf32>, tensor<16x8xf32>) -> tensor<8x16xf32>
      xfmr.yield %l : tensor<8x16xf32>
    }
    xfmr.yield %y : tensor<8x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused product layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %w = xfmr.weight "w" : tensor<32x8xf32>
      // expected-error @below {{'xfmr.glu' op in layer 2: a clamped glu has a kernel only inside of experts}}
      %l = xfmr.glu silu %a, %w layout concat alpha 1.702 limit 7.0 : (tensor<1x8xf32>, tensor<32x8xf32>) -> tensor<1x16xf32>
      xfmr.yield %l : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%t: tensor<1xi32>):
    %y = xfmr.fused embedding (%t) : (tensor<1xi32>) -> tensor<1x8xf32> {
    ^bb0(%tokens: tensor<1xi32>):
      %w = xfmr.weight "w" : tensor<16x8xf32>
      %p = xfmr.weight "p" : tensor<8x8xf16>
      %at = xfmr.position
      // expected-error @below {{'xfmr.embedding' op token and position tables must have one element type}}
      %l = xfmr.embedding %tokens, %w positions %p at %at : (tensor<1xi32>, tensor<16x8xf32>, tensor<8x8xf16>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %l : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 260
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x260xf32>, %xk: tensor<1x260xf32>, %xv: tensor<1x260xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x260xf32>, tensor<1x260xf32>, tensor<1x260xf32>) -> tensor<1x260xf32> {
    ^bb0(%q: tensor<1x260xf32>, %k: tensor<1x260xf32>, %v: tensor<1x260xf32>):
      %p = xfmr.position
      // expected-error @below {{'xfmr.cached_attention' op in layer 2: the attention kernels take no head_dim of 260, at most 256}}
      %o = xfmr.cached_attention %q, %k, %v at %p cache @kv0 heads 1 kv_heads 1 head_dim 260 causal scale 0.5
          : (tensor<1x260xf32>, tensor<1x260xf32>, tensor<1x260xf32>, tensor<i32>) -> tensor<1x260xf32>
      xfmr.yield %o : tensor<1x260xf32>
    }
    xfmr.yield %y : tensor<1x260xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      %qr = xfmr.rope half %q at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      // expected-error @below {{'xfmr.cached_attention' op in layer 2: query and key must both be rotated or both not}}
      %o = xfmr.cached_attention %qr, %k, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      %qr = xfmr.rope half %q at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      %kr = xfmr.rope half %k at %p head_dim 4 theta 5.0e5 : tensor<1x8xf32>
      // expected-error @below {{'xfmr.cached_attention' op in layer 2: query and key must have the same rotary embedding}}
      %o = xfmr.cached_attention %qr, %kr, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      %g = xfmr.weight "g" : tensor<4xf32>
      %qn = xfmr.rms_norm %q, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<4xf32>
      %kn = xfmr.rms_norm %k, %g eps 1.0e-6 : tensor<1x8xf32>, tensor<4xf32>
      // expected-error @below {{'xfmr.cached_attention' op in layer 2: norms of query and key must have one eps and one offset}}
      %o = xfmr.cached_attention %qn, %kn, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      %g = xfmr.weight "g" : tensor<8xf32>
      // expected-error @below {{'xfmr.rms_norm' op in layer 2: must be a norm of heads of 4 columns}}
      %qn = xfmr.rms_norm %q, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<8xf32>
      %o = xfmr.cached_attention %qn, %k, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      // expected-error @below {{'xfmr.rope' op in layer 2: does not lead to the query or key of the region's attention}}
      %vr = xfmr.rope half %v at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      %o = xfmr.cached_attention %q, %k, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      // expected-error @below {{'xfmr.rope' op in layer 2: does not lead to the query or key of the region's attention}}
      %q1 = xfmr.rope half %q at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      %q2 = xfmr.rope half %q1 at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      %o = xfmr.cached_attention %q2, %q2, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 2048 chunk 8 kv f32 target <vulkan, binding_bytes = 65536, push_words = 16, grid = 65535, alignment = 256> config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 2048> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>, %xv: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk, %xv) : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %v: tensor<1x8xf32>):
      %p = xfmr.position
      // expected-error @below {{a cache of 131072 bytes does not fit the 65536 bytes that the target binds; lower --max-context (now 2048) or use --kv=f16}}
      %o = xfmr.cached_attention %q, %k, %v at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: it does not end in a linear}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u3 = xfmr.activation relu %b : tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: nothing known lies before its last linear}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %s = xfmr.scale %u1 by 2.0 : tensor<?x6xf32>
        %u3 = xfmr.linear %s, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: its activation does not follow a linear of the token}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %s = xfmr.scale %u1 by 2.0 : tensor<?x6xf32>
        %t = xfmr.activation relu %s : tensor<?x6xf32>
        %u3 = xfmr.linear %t, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x12x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: its glu does not read the token}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x12x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<12x8xf32>, %d: tensor<8x6xf32>):
        %s = xfmr.scale %b by 2.0 : tensor<?x8xf32>
        %t = xfmr.glu silu %s, %u layout concat : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x6xf32>
        %u3 = xfmr.linear %t, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: its product is not act(linear(x)) * linear(x)}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %t = xfmr.mul %u1, %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %t, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<513x8xf32>
      %up = xfmr.weight "up" : tensor<513x6x8xf32>
      %down = xfmr.weight "down" : tensor<513x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: has 513 experts and top_k 2, the kernels take at most 512 and 16}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<513x8xf32>, tensor<513x6x8xf32>, tensor<513x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<32x8xf32>
      %up = xfmr.weight "up" : tensor<32x6x8xf32>
      %down = xfmr.weight "down" : tensor<32x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: has 32 experts and top_k 17, the kernels take at most 512 and 16}}
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 17, score = softmax>
          : (tensor<1x8xf32>, tensor<32x8xf32>, tensor<32x6x8xf32>, tensor<32x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      // expected-error @below {{'xfmr.activation' op in layer 2: does not fit a mixture: norm, moe, shared expert with or without a gate, residual in this order}}
      %s = xfmr.activation relu %m : tensor<1x8xf32>
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      %m = xfmr.moe %a router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      %s1 = xfmr.add %m, %a : tensor<1x8xf32>
      %s2 = xfmr.add %s1, %a : tensor<1x8xf32>
      // expected-error @below {{'xfmr.add' op in layer 2: does not fit a mixture: norm, moe, shared expert with or without a gate, residual in this order}}
      %s3 = xfmr.add %s2, %a : tensor<1x8xf32>
      xfmr.yield %s3 : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase prefill rows 4 {
  ^bb0(%x: tensor<4x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%a: tensor<4x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      %g = xfmr.weight "g" : tensor<8xf32>
      // expected-error @below {{'xfmr.rms_norm' op in layer 2: routers of several rows take no norm}}
      %n = xfmr.rms_norm %a, %g eps 1.0e-5 : tensor<4x8xf32>, tensor<8xf32>
      %m = xfmr.moe %n router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<4x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<4x8xf32>
    }
    xfmr.yield %y : tensor<4x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      %g = xfmr.weight "g" : tensor<4xf32>
      // expected-error @below {{'xfmr.rms_norm' op in layer 2: routers take no norm of heads}}
      %n = xfmr.rms_norm %a, %g eps 1.0e-5 : tensor<1x8xf32>, tensor<4xf32>
      %m = xfmr.moe %n router %r experts(%up, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>, %d: tensor<8x6xf32>):
        %u1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %u2 = xfmr.activation relu %u1 : tensor<?x6xf32>
        %u3 = xfmr.linear %u2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %u3 : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  // expected-error @below {{must have the hidden states as its argument}}
  xfmr.phase last_logits rows 1 {
    xfmr.sample
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %gate = xfmr.weight "gate" : tensor<4x6x8xf32>
      %bias = xfmr.weight "bias" : tensor<4x6xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: gate and up must be slices of stacked weights, with a bias each or none}}
      %m = xfmr.moe %a router %r experts(%gate, %up, %bias, %down) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>, tensor<4x6x8xf32>, tensor<4x6xf32>, tensor<4x8x6xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %g: tensor<6x8xf32>, %u: tensor<6x8xf32>, %c: tensor<6xf32>, %d: tensor<8x6xf32>):
        %1 = xfmr.linear %b, %g bias %c : (tensor<?x8xf32>, tensor<6x8xf32>, tensor<6xf32>) -> tensor<?x6xf32>
        %2 = xfmr.activation silu %1 : tensor<?x6xf32>
        %3 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %4 = xfmr.mul %2, %3 : tensor<?x6xf32>
        %o = xfmr.linear %4, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %o : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase last_logits rows 1 {
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused mixture layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %r = xfmr.weight "r" : tensor<4x8xf32>
      %up = xfmr.weight "up" : tensor<4x6x8xf32>
      %gate = xfmr.weight "gate" : tensor<4x6x8xf32>
      %bias = xfmr.weight "bias" : tensor<4x6xf32>
      %down = xfmr.weight "down" : tensor<4x8x6xf32>
      // expected-error @below {{'xfmr.moe' op in layer 2: the expert region is no feed-forward network that the kernels know: its weights are not slices of stacked weights}}
      %m = xfmr.moe %a router %r experts(%up) routing <top_k = 2, score = softmax>
          : (tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x6x8xf32>) -> tensor<1x8xf32> {
      ^bb0(%b: tensor<?x8xf32>, %u: tensor<6x8xf32>):
        %d = xfmr.weight "d" : tensor<8x6xf32>
        %1 = xfmr.linear %b, %u : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
        %2 = xfmr.activation silu %1 : tensor<?x6xf32>
        %o = xfmr.linear %2, %d : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
        xfmr.yield %o : tensor<?x8xf32>
      }
      xfmr.yield %m : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  // expected-error @below {{no dispatch computes the value of a block argument}}
  ^bb0(%x: tensor<1x8xf32>):
    %y = xfmr.fused elementwise (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x8xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<1x8xf32>
      xfmr.yield %s : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x8xf32>, %xk: tensor<1x8xf32>):
    %y = xfmr.fused attention layer 2 (%xq, %xk) : (tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>):
      %p = xfmr.position
      %kr = xfmr.rope half %k at %p head_dim 4 theta 1.0e4 : tensor<1x8xf32>
      // expected-error @below {{'xfmr.cached_attention' op in layer 2: takes query, key and value from outside its region}}
      %o = xfmr.cached_attention %q, %kr, %kr at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 16, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 648
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x16xf32>, %xk: tensor<1x8xf32>, %xc: tensor<1x640xf32>):
    %y = xfmr.fused latent_attention layer 2 (%xq, %xk, %xc) : (tensor<1x16xf32>, tensor<1x8xf32>, tensor<1x640xf32>) -> tensor<1x16xf32> {
    ^bb0(%q: tensor<1x16xf32>, %k: tensor<1x8xf32>, %c: tensor<1x640xf32>):
      %up = xfmr.weight "k" : tensor<1x640x8xf32>
      %down = xfmr.weight "v" : tensor<1x16x640xf32>
      %p = xfmr.position
      // expected-error @below {{the attention kernels take no latent of 648 numbers with what turns, at most 640}}
      %o = xfmr.cached_latent_attention half %q, %k, %c, %up, %down at %p cache @kv0 heads 1 theta 1.0e4 scale 0.5
          : (tensor<1x16xf32>, tensor<1x8xf32>, tensor<1x640xf32>, tensor<1x640x8xf32>, tensor<1x16x640xf32>, tensor<i32>) -> tensor<1x16xf32>
      xfmr.yield %o : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 2048 chunk 8 kv f32 target <vulkan, binding_bytes = 65536, push_words = 16, grid = 65535, alignment = 256> config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 16, max_position = 2048> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 32
  xfmr.phase decode rows 1 {
  ^bb0(%xq: tensor<1x16xf32>, %xk: tensor<1x8xf32>, %xc: tensor<1x24xf32>):
    %y = xfmr.fused latent_attention layer 2 (%xq, %xk, %xc) : (tensor<1x16xf32>, tensor<1x8xf32>, tensor<1x24xf32>) -> tensor<1x16xf32> {
    ^bb0(%q: tensor<1x16xf32>, %k: tensor<1x8xf32>, %c: tensor<1x24xf32>):
      %up = xfmr.weight "k" : tensor<1x24x8xf32>
      %down = xfmr.weight "v" : tensor<1x16x24xf32>
      %p = xfmr.position
      // expected-error @below {{a cache of 262144 bytes does not fit the 65536 bytes that the target binds; lower --max-context (now 2048)}}
      %o = xfmr.cached_latent_attention half %q, %k, %c, %up, %down at %p cache @kv0 heads 1 theta 1.0e4 scale 0.5
          : (tensor<1x16xf32>, tensor<1x8xf32>, tensor<1x24xf32>, tensor<1x24x8xf32>, tensor<1x16x24xf32>, tensor<i32>) -> tensor<1x16xf32>
      xfmr.yield %o : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}
