// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-distill{teacher=none})'

// A norm between the projection and the residual: it stays as it is.
// expected-error@+1 {{cannot read teacher "none": No such file or directory}}
xfmr.model @norm (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %wn = xfmr.weight "norm" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %bn = xfmr.weight "norm" : tensor<4xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    %d = xfmr.linear %a, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    // expected-remark@+1 {{not distilled into the projection before this op in layer 0, behind which more than sums and factors lead to the residual}}
    %n = xfmr.rms_norm %d, %bn eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
    %s = xfmr.add %h, %n : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  %n = xfmr.rms_norm %y, %wn eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %z = xfmr.linear %n, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %z : tensor<?x8xf32>
}

// -----

xfmr.model @softcap (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %wn = xfmr.weight "norm" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    xfmr.yield %h : tensor<?x4xf32>
  }
  %n = xfmr.rms_norm %y, %wn eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %z = xfmr.linear %n, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  // expected-error@+1 {{cannot distil into this model, expected one norm and one linear map behind the last block}}
  %c = xfmr.softcap %z cap 30.0 : tensor<?x8xf32>
  xfmr.yield %c : tensor<?x8xf32>
}
