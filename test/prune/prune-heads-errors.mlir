// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-prune-heads{heads=4})'
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads)' 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=9})' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=3})' 2>&1 | FileCheck %s --check-prefix=UNEVEN
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=3 mode=kv-groups})' 2>&1 | FileCheck %s --check-prefix=UNEVENGROUPS
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=4 layers=1})' 2>&1 | FileCheck %s --check-prefix=LAYER
// ZERO: error: cannot keep 0 heads, expected 1 to 8; heads=N says how many
// MANY: error: cannot keep 9 heads, expected 1 to 8
// UNEVEN: error: cannot keep 3 heads, expected a multiple of the 2 key/value groups; mode=kv-groups removes whole groups
// UNEVENGROUPS: error: cannot keep 3 heads, expected a multiple of the 4 heads of a group; mode=per-group removes heads inside groups
// LAYER: error: there is no layer 1

xfmr.model @full_width_norm (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "olmoe", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wq = xfmr.weight "q" : tensor<16x4xf32>
    %wk = xfmr.weight "k" : tensor<4x4xf32>
    %n = xfmr.weight "norm" : tensor<16xf32>
    %wo = xfmr.weight "o" : tensor<4x16xf32>
    %q = xfmr.linear %h, %wq : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-note@+1 {{by this op}}
    %qn = xfmr.rms_norm %q, %n eps 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>
    // expected-error@+1 {{heads cannot be removed exactly: query: 'xfmr.rms_norm' works on groups of 16 columns, so removing 2 changes the others}}
    %a = xfmr.attention %qn, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

xfmr.model @normed_output (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wq = xfmr.weight "q" : tensor<16x4xf32>
    %wk = xfmr.weight "k" : tensor<4x4xf32>
    %n = xfmr.weight "norm" : tensor<16xf32>
    %wo = xfmr.weight "o" : tensor<4x16xf32>
    %q = xfmr.linear %h, %wq : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: output: it is read by 'xfmr.rms_norm', not by a projection only}}
    %a = xfmr.attention %q, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    // expected-note@+1 {{by this op}}
    %an = xfmr.rms_norm %a, %n eps 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>
    %o = xfmr.linear %an, %wo : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// expected-error@+1 {{there is no attention to prune}}
xfmr.model @none (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}

// -----

xfmr.model @no_projection (%tokens: tensor<?xi32>) -> tensor<?x16xf32>
    config <architecture = "llama", hidden_size = 16, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x16xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x16xf32>) -> tensor<?x16xf32> {
  ^bb0(%h: tensor<?x16xf32>):
    %wk = xfmr.weight "k" : tensor<4x16xf32>
    %wo = xfmr.weight "o" : tensor<16x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: query: it comes from outside, not from a projection}}
    %a = xfmr.attention %h, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    xfmr.yield %o : tensor<?x16xf32>
  }
  xfmr.yield %y : tensor<?x16xf32>
}

// -----

xfmr.model @split_of_no_linear (%tokens: tensor<?xi32>) -> tensor<?x24xf32>
    config <architecture = "llama", hidden_size = 24, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x24xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x24xf32>) -> tensor<?x24xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x24xf32>) -> tensor<?x24xf32> {
  ^bb0(%h: tensor<?x24xf32>):
    %wo = xfmr.weight "o" : tensor<24x16xf32>
    // expected-note@+1 {{by this op}}
    %q, %k, %v = xfmr.split %h : tensor<?x24xf32> -> tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: query: it is part of a split that no linear of its own feeds}}
    %a = xfmr.attention %q, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<24x16xf32>) -> tensor<?x24xf32>
    xfmr.yield %o : tensor<?x24xf32>
  }
  xfmr.yield %y : tensor<?x24xf32>
}

// -----

xfmr.model @no_reader (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wq = xfmr.weight "q" : tensor<16x4xf32>
    %wk = xfmr.weight "k" : tensor<4x4xf32>
    %q = xfmr.linear %h, %wq : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: output: no projection reads it}}
    %a = xfmr.attention %q, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    xfmr.yield %h : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

xfmr.model @alibi (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "bloom", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "q" : tensor<16x4xf32>
    %wk = xfmr.weight "k" : tensor<4x4xf32>
    %wo = xfmr.weight "o" : tensor<4x16xf32>
    %q = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: biases by distance (alibi) depend on the number of heads}}
    %a = xfmr.attention %q, %k, %v heads 8 kv_heads 2 head_dim 2 causal scale 0.5 alibi 8.0
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

xfmr.model @bucketed (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "q" : tensor<16x4xf32>
    %wk = xfmr.weight "k" : tensor<4x4xf32>
    %wo = xfmr.weight "o" : tensor<4x16xf32>
    %bias = xfmr.weight "bias" : tensor<4x8xf32>
    %q = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{heads cannot be removed exactly: its biases by distance are a column a head of a table that all layers read}}
    %a = xfmr.attention %q, %k, %v bias %bias max_distance 8 heads 8 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
