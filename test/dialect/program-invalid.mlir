// Each constraint of the program stages (dialect/ops/Program.td), broken once.
// RUN: xfmr-opt --split-input-file --verify-diagnostics %s

// program C1
// expected-error @below {{needs 1 <= chunk <= max_context, got chunk 9 and max_context 8}}
xfmr.program @p max_context 8 chunk 9 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

// program C2
// expected-error @below {{kv type must be f32 or f16, got 'bf16'}}
xfmr.program @p max_context 8 chunk 8 kv bf16 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // kv_cache C1
  // expected-error @below {{needs positive kv_heads and head_dim}}
  xfmr.kv_cache @kv0 kv_heads 0 head_dim 8
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // phase C1
  // expected-error @below {{needs one row, got 2}}
  xfmr.phase decode rows 2 {
    xfmr.sample
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // phase C1
  // expected-error @below {{needs a positive number of rows, got 0}}
  xfmr.phase prefill rows 0 {
    xfmr.barrier
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C1
    // expected-error @below {{names no kv_cache of the program: @kv0}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-note @below {{the cache is here}}
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C1
    // expected-error @below {{has kv_heads 1 and head_dim 8, its cache 2 and 8}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x16xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C2
    // expected-error @below {{key and value must be [tokens, kv_heads * head_dim = 8], got 'tensor<4x16xf32>'}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<3x8xf32>, %v: tensor<3x8xf32>):
    %position = xfmr.position
    // cached_attention C2
    // expected-error @below {{key and value must be [tokens, kv_heads * head_dim = 8], got 'tensor<3x8xf32>'}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<3x8xf32>, tensor<3x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C3
    // expected-error @below {{heads 0 must be a positive multiple of kv_heads 1}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 0 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    %s = xfmr.weight "s" : tensor<3xf32>
    // cached_attention C3
    // expected-error @below {{sinks must have 2 entries, got 'tensor<3xf32>'}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 sinks %s heads 2 kv_heads 1 head_dim 8 causal scale 0.35 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>, tensor<3xf32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C4
    // expected-error @below {{scale must be finite, softcap and window positive}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 window 0 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C4
    // expected-error @below {{scale must be finite, softcap and window positive}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35 softcap 0.0 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
    %position = xfmr.position
    // cached_attention C4
    // expected-error @below {{scale must be finite, softcap and window positive}}
    %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0x7FF0000000000000 : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
    xfmr.yield %a : tensor<4x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // buffer C1
  // expected-error @below {{needs a positive size in bytes}}
  xfmr.buffer @state state size 0
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // rope_table C1
  // expected-error @below {{needs positive rows and a positive even rotary_dim, got 8 and 7}}
  xfmr.rope_table @rope0 rows 8 rotary_dim 7 theta 1.0e4
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
    // buffer_ref C1
    // expected-error @below {{names no buffer, packed weight or rope table of the program: @hidden}}
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.phase decode rows 1 {
    // buffer_ref C2
    // expected-error @below {{needs an offset of 0 or more bytes}}
    %x = xfmr.buffer_ref @hidden offset -4 : memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.phase decode rows 1 {
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C3
    // expected-error @below {{names no kernel of the program: @norm}}
    xfmr.dispatch @norm "norm" (%x read) push [16] grid [1, 1, 1] : memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.kernel @norm "norm" {}
  xfmr.phase decode rows 1 {
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C2
    // expected-error @below {{grid extent 65536 is outside 1 .. 65535}}
    xfmr.dispatch @norm "norm" (%x read) push [16] grid [65536, 1, 1] : memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.kernel @norm "norm" {}
  xfmr.phase decode rows 1 {
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C2
    // expected-error @below {{has 17 push words, at most 16 fit}}
    xfmr.dispatch @norm "norm" (%x read) push [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17] grid [1, 1, 1] : memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @hidden arena size 64
  xfmr.kernel @norm "norm" {}
  xfmr.phase decode rows 1 {
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C4
    // expected-error @below {{indirect offset 6 must be a multiple of 4, 0 or more}}
    xfmr.dispatch @norm "norm" (%x read) push [16] grid [1, 1, 1] indirect %x offset 6 : memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}
