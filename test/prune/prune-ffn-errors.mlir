// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-prune-ffn{width=4})'

xfmr.model @normed (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %n = xfmr.weight "norm" : tensor<6xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    // expected-error@+1 {{channels cannot be removed exactly: it is read by 'xfmr.rms_norm', not by a projection only}}
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    // expected-note@+1 {{by this op}}
    %an = xfmr.rms_norm %a, %n eps 1.0e-5 : tensor<?x6xf32>, tensor<6xf32>
    %d = xfmr.linear %an, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %d : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

xfmr.model @shared_gate (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    // expected-note@+1 {{by this op}}
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %s = xfmr.activation silu %u : tensor<?x6xf32>
    // expected-error@+1 {{channels cannot be removed exactly: a value on the way has another use, by 'xfmr.activation'}}
    %p = xfmr.mul %u, %s : tensor<?x6xf32>
    %d = xfmr.linear %p, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %d : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
