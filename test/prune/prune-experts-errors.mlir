// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-prune-experts{experts=2})'

// Routers whose weights depend on experts that were not chosen.
xfmr.model @unnormalised (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "olmoe", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %w = xfmr.weight "w" : tensor<3x4x4xf32>
    // expected-error@+1 {{experts cannot be removed exactly: its softmax over all experts is not normalised over the chosen, so a removed expert changes the weights of the others; approximate=true removes them so}}
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

xfmr.model @sparsemixer (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "phimoe", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %w = xfmr.weight "w" : tensor<3x4x4xf32>
    // expected-error@+1 {{experts cannot be removed exactly: sparsemixer weighs a chosen expert against its rivals, chosen or not; approximate=true removes them so}}
    %m = xfmr.moe %h router %r experts(%w) routing <top_k = 2, score = sparsemixer, sparsemixer_eps = 0.01>
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

xfmr.model @capacity (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "switch", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %w = xfmr.weight "w" : tensor<3x4x4xf32>
    // expected-error@+1 {{experts cannot be removed exactly: the capacity of an expert depends on the number of experts; approximate=true removes them so}}
    %m = xfmr.moe %h router %r experts(%w)
        routing <top_k = 1, score = sigmoid, overflow = drop, capacity_factor = 1.0>
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

xfmr.model @norm_eps (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "olmoe", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %w = xfmr.weight "w" : tensor<3x4x4xf32>
    // expected-error@+1 {{experts cannot be removed exactly: norm_eps is added to a sum of softmax values over all experts; approximate=true removes them so}}
    %m = xfmr.moe %h router %r experts(%w) routing <top_k = 2, score = softmax, norm_topk_prob = true, norm_eps = 1.0e-20>
        : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3x4x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
      %o = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
