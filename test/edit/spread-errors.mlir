// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-edit-ffn{layer=0 edits=none text=none})'

// What the network gives goes through a norm before it joins the residual: no share of what the residual misses can be asked of it.
xfmr.model @norm (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %wn = xfmr.weight "norm" : tensor<4xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    %d = xfmr.linear %a, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{cannot spread edits over layer 0: what its network gives meets this op on its way to the residual, expected sums and factors only}}
    %n = xfmr.rms_norm %d, %wn eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
    %s = xfmr.add %h, %n : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// A factor is in order: the next error is that of the weights.
// expected-error@+1 {{weight source "base": no weights in}}
xfmr.model @factor (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    %d = xfmr.linear %a, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %f = xfmr.scale %d by 0.5 : tensor<?x4xf32>
    %s = xfmr.add %h, %f : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
