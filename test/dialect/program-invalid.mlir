// Each constraint of the program stages (dialect/ops/Program.td), broken once.
// RUN: xfmr-opt --split-input-file --verify-diagnostics %s

// program C1
// expected-error @below {{needs 1 <= chunk <= max_context, got chunk 9 and max_context 8}}
xfmr.program @p max_context 8 chunk 9 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

// program C2
// expected-error @below {{kv type must be f32, f16 or i8, got 'bf16'}}
xfmr.program @p max_context 8 chunk 8 kv bf16 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // packed_weight C1
  // expected-error @below {{must yield one weight, of one to three axes}}
  xfmr.packed_weight @w : memref<16x8xf32> {
    %w = xfmr.weight "w" : tensor<2x2x4x8xf32>
    xfmr.yield %w : tensor<2x2x4x8xf32>
  }
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
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C3
    // expected-error @below {{names no executable of the program: @other}}
    xfmr.dispatch @other "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C2
    // expected-error @below {{has 2 buffers, its kernel 4 bindings}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read) : memref<?xi32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C2
    // expected-error @below {{gives out as read, its kernel declares write}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read, %y read, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xi32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C7
    // expected-error @below {{gives out as 'i32', which is not what its kernel reads}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xi32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C4
    // expected-error @below {{indirect offset 6 must be a multiple of 4, 0 or more}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read, %y write, %w read) indirect %x offset 6 : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C5
    // expected-error @below {{takes params of norm, got those of gemv}}
    xfmr.dispatch @norm "norm" #xfmr.gemv_params<n = 1, k = 1> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C5
    // expected-error @below {{width must be positive}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<max_rows = 1> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C5
    // expected-error @below {{rows that begin anywhere need a kernel that is unaligned}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 6, max_rows = 1, x = <stride = 6>> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<> params #xfmr.norm_params<width = 8, max_rows = 1>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C5
    // expected-error @below {{has other params than its executable}}
    xfmr.dispatch @norm "norm" #xfmr.norm_params<width = 16, max_rows = 1> (%state read, %x read, %y write, %w read) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.gemm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C6
    // expected-error @below {{grid extent 65536 is outside 1 .. 65535}}
    xfmr.dispatch @norm "norm" #xfmr.gemm_params<n = 16, k = 16, max_rows = 4194241> (%state read, %x read, %w read, %y write) : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @norm #xfmr.norm<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<?xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    %y = xfmr.buffer_ref @hidden : memref<?xf32>
    %w = xfmr.buffer_ref @hidden : memref<?xf32>
    // expected-error @below {{expected the params of a kernel, got 3 : i32}}
    xfmr.dispatch @norm "norm" 3 : i32 () : 
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // executable C1
  // expected-error @below {{takes params of norm, got those of gemm}}
  xfmr.executable @norm #xfmr.norm<> params #xfmr.gemm_params<>
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // executable C2
  // expected-error @below {{has two variants called portable}}
  xfmr.executable @norm #xfmr.norm<> {
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<0> : tensor<1xi32> {}
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<0> : tensor<1xi32> {}
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // executable C2
  // expected-error @below {{holds xfmr.barrier, expected variants only}}
  xfmr.executable @norm #xfmr.norm<> {
    xfmr.barrier
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @norm #xfmr.norm<> {
    // variant C1
    // expected-error @below {{needs three positive workgroup extents}}
    xfmr.variant "portable" workgroup [64, 0, 1] code dense<0> : tensor<1xi32> {}
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @norm #xfmr.norm<> {
    // variant C2
    // expected-error @below {{needs one op as its body, or code and an empty body}}
    xfmr.variant "portable" workgroup [64, 1, 1] {}
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // moe_layer C1
  // expected-error @below {{needs a layer and stats of 0 or more and positive experts}}
  xfmr.moe_layer 0 experts 0 stats 0
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C6
    // expected-error @below {{has 4294967295 tiles, a target takes 2147483647}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 1048576, max_rows = 4294967295, a = <stride = 1048576>, out = <stride = 1048576>> (%state read, %x read, %x write) : memref<32xi32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 target <vulkan, binding_bytes = 65536, push_words = 1, grid = 65535, alignment = 256> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.buffer @hidden arena size 64
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    %x = xfmr.buffer_ref @hidden : memref<?xf32>
    // dispatch C6
    // expected-error @below {{has 9 push words, its target takes 1}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state read, %x read, %x write) : memref<32xi32>, memref<?xf32>, memref<?xf32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // expected-error @below {{expected read, write or readwrite, got append}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state append) : memref<32xi32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // expected-error @below {{expected one type a buffer}}
    xfmr.dispatch @copy "copy" #xfmr.elementwise_params<width = 16, max_rows = 1> (%state read) : memref<32xi32>, memref<32xi32>
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.buffer @state state size 128
  xfmr.executable @copy #xfmr.elementwise<>
  xfmr.phase decode rows 1 {
    %state = xfmr.buffer_ref @state : memref<32xi32>
    // dispatch C1
    // expected-error @below {{has 1 buffers but 2 accesses}}
    "xfmr.dispatch"(%state) <{kernel = @copy, label = "copy", access = array<i32: 0, 0>, params = #xfmr.elementwise_params<width = 16, max_rows = 1>, operandSegmentSizes = array<i32: 1, 0>}> : (memref<32xi32>) -> ()
    xfmr.yield
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // buffer C2
  // expected-error @below {{has columns if it is a probe, at least one, and only then}}
  xfmr.buffer @probe.x probe size 64
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  // expected-error @below {{has columns if it is a probe, at least one, and only then}}
  xfmr.buffer @state state size 128 columns 4
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "t5", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @cross0 kv_heads 2 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x24xf32>):
    // cross_attention C3
    // expected-error @below {{heads 3 must be a positive multiple of kv_heads 2, head_dim 8 positive and the scale finite}}
    %a = xfmr.cross_attention %q cache @cross0 heads 3 kv_heads 2 head_dim 8 scale 1.0 : tensor<4x24xf32>
    xfmr.yield %a : tensor<4x24xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "t5", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @cross0 kv_heads 2 head_dim 8
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x24xf32>):
    // cross_attention C2
    // expected-error @below {{query must be [tokens, heads * head_dim = 16], got }}
    %a = xfmr.cross_attention %q cache @cross0 heads 2 kv_heads 2 head_dim 8 scale 1.0 : tensor<4x24xf32>
    xfmr.yield %a : tensor<4x24xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "t5", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.kv_cache @cross0 kv_heads 2 head_dim 8
  xfmr.phase encode rows 4 {
  ^bb0(%k: tensor<4x24xf32>):
    // cache_write C2
    // expected-error @below {{key and value must have 16 columns, those of their cache, got }}
    xfmr.cache_write %k, %k cache @cross0 : tensor<4x24xf32>
    xfmr.yield
  }
}

// -----

// cached_latent_attention C1
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{names no kv_cache of the program: @kv0}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C1
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  // expected-note @below {{the cache is here}}
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 16
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{needs a cache with kv_heads 1 and head_dim 24, has 1 and 16}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C2
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{query must be [tokens, heads * head_dim] of 3 heads, got}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 3 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C2
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x16xf32>, %c: tensor<4x8xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{query and result must have one type and heads of more than 16 columns}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C2
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<3x16xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{key and latent must have as many rows as the query, got}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<3x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C2
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
    %up = xfmr.weight "k" : tensor<2x8x16xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{up-projections must be [heads, latent, head - turned] and [heads, head, latent], got}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x8x16xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C3
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x4xf32>, %c: tensor<4x20xf32>):
    %up = xfmr.weight "k" : tensor<2x20x12xf32>
    %down = xfmr.weight "v" : tensor<2x16x20xf32>
    %position = xfmr.position
    // expected-error @below {{entries that turn, of a head and of the latent must be multiples of 8, got 4, 16 and 20}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25 : (tensor<4x32xf32>, tensor<4x4xf32>, tensor<4x20xf32>, tensor<2x20x12xf32>, tensor<2x16x20xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}

// -----

// cached_latent_attention C4
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
  xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
  xfmr.phase prefill rows 4 {
  ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
    %up = xfmr.weight "k" : tensor<2x16x8xf32>
    %down = xfmr.weight "v" : tensor<2x16x16xf32>
    %position = xfmr.position
    // expected-error @below {{scale must be finite, theta finite and positive}}
    %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 0.0 scale 0.25 : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>) -> tensor<4x32xf32>
    xfmr.yield %a : tensor<4x32xf32>
  }
}
