// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=2 top_k=1})'

// An adapter beside the projection that reads the hidden channels.
xfmr.model @adapter (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %a = xfmr.weight "a" : tensor<1x6xf32>
    %b = xfmr.weight "b" : tensor<4x1xf32>
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    // expected-error@+1 {{cannot make experts of this network: expected one down projection as the only reader}}
    %r = xfmr.activation relu %p : tensor<?x6xf32>
    // expected-note@+1 {{read here; xfmr-fold-lora folds adapters}}
    %o = xfmr.linear %r, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    // expected-note@+1 {{read here; xfmr-fold-lora folds adapters}}
    %k = xfmr.linear %r, %a : (tensor<?x6xf32>, tensor<1x6xf32>) -> tensor<?x1xf32>
    %l = xfmr.linear %k, %b : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
    %s = xfmr.add %o, %l : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// An adapter beside a projection of the input.
xfmr.model @upAdapter (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %a = xfmr.weight "a" : tensor<1x4xf32>
    %b = xfmr.weight "b" : tensor<6x1xf32>
    %k = xfmr.linear %h, %a : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    // expected-error@+1 {{cannot make experts of this network: its projections read different values; xfmr-fold-lora folds adapters}}
    %l = xfmr.linear %k, %b : (tensor<?x1xf32>, tensor<6x1xf32>) -> tensor<?x6xf32>
    %q = xfmr.add %p, %l : tensor<?x6xf32>
    %r = xfmr.activation relu %q : tensor<?x6xf32>
    %o = xfmr.linear %r, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// A mixture is left as it is; without a network beside it there is nothing to do.
// expected-error@+1 {{there is no feed-forward network outside of mixtures}}
xfmr.model @mixture (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %w = xfmr.weight "w" : tensor<3x4x4xf32>
    // expected-remark@+1 {{left as it is: the layer has a mixture already}}
    %m = xfmr.moe %h router %r experts(%w) routing <top_k = 2, score = softmax>
        : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3x4x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
      %o = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// Two networks in one layer.
xfmr.model @two (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error@+1 {{cannot make experts of a layer with 2 feed-forward networks, expected one}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %r = xfmr.activation relu %p : tensor<?x6xf32>
    %o = xfmr.linear %r, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %p2 = xfmr.linear %o, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %r2 = xfmr.activation relu %p2 : tensor<?x6xf32>
    %o2 = xfmr.linear %r2, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o2 : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// The gate is read outside of the network too.
xfmr.model @elsewhere (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x6xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    // expected-error@+1 {{cannot make experts of this network: a value on the way has another use, by 'xfmr.add'}}
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %r = xfmr.activation relu %p : tensor<?x6xf32>
    %o = xfmr.linear %r, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %q = xfmr.linear %o, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %s = xfmr.add %q, %p : tensor<?x6xf32>
    xfmr.yield %s : tensor<?x6xf32>
  }
  %w = xfmr.weight "w" : tensor<4x6xf32>
  %z = xfmr.linear %y, %w : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
  xfmr.yield %z : tensor<?x4xf32>
}

// -----

// Rows scaled by a gate that another op reads too.
xfmr.model @gate (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %w = xfmr.weight "gate" : tensor<1x4xf32>
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    // expected-error@+1 {{cannot make experts of this network: a value inside of it has another use}}
    %g = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
    %r = xfmr.row_scale %p, %g : tensor<?x6xf32>, tensor<?x1xf32>
    %a = xfmr.activation relu %r : tensor<?x6xf32>
    %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    // expected-note@+1 {{used here}}
    %s = xfmr.row_scale %o, %g : tensor<?x4xf32>, tensor<?x1xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// Rows scaled by an input of the block.
xfmr.model @rows (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %ones = xfmr.weight "ones" : tensor<8x1xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %c = xfmr.embedding %tokens, %ones : (tensor<?xi32>, tensor<8x1xf32>) -> tensor<?x1xf32>
  // expected-error@+1 {{cannot make experts of this network: it reads the block's input without a projection}}
  %y = xfmr.block 0 (%x, %c) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>, %g: tensor<?x1xf32>):
    %u = xfmr.weight "u" : tensor<6x4xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %p = xfmr.linear %h, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %r = xfmr.row_scale %p, %g : tensor<?x6xf32>, tensor<?x1xf32>
    %a = xfmr.activation relu %r : tensor<?x6xf32>
    %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
