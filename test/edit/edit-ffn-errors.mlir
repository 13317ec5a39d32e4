// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-edit-ffn{layer=0 key-value=none text=none})'

xfmr.model @adapter (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %wa = xfmr.weight "a" : tensor<2x6xf32>
    %wb = xfmr.weight "b" : tensor<4x2xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    // expected-error@+1 {{cannot edit this network, expected one down projection as its only reader}}
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    // expected-note@+1 {{read here; xfmr-fold-lora folds adapters}}
    %d = xfmr.linear %a, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    // expected-note@+1 {{read here; xfmr-fold-lora folds adapters}}
    %n = xfmr.linear %a, %wa : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
    %b = xfmr.linear %n, %wb : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    %s = xfmr.add %d, %b : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

xfmr.model @two (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error@+1 {{cannot edit a layer with 2 feed-forward networks, expected one with one down projection}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    %d = xfmr.linear %a, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %d, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %c = xfmr.activation relu %v : tensor<?x6xf32>
    %e = xfmr.linear %c, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %e : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// A layer without a feed-forward network.
xfmr.model @none (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error@+1 {{cannot edit a layer with 0 feed-forward networks, expected one with one down projection}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    xfmr.yield %h : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
