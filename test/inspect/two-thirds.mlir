// Multi-head attention of width d = 1024 has 4 d^2 = 4,194,304 parameters; a feed-forward network of 4 d twice as many,
// 8,388,608.
// RUN: xfmr-inspect %s --json | %python %S/Inputs/expect.py attention=4194304 ffn=8388608
// RUN: xfmr-inspect %s | FileCheck %s
// CHECK: ffn is 66.7 % of the blocks' attention and ffn
xfmr.model @classic (%tokens: tensor<?xi32>) -> tensor<?x1024xf32>
    config <architecture = "classic", hidden_size = 1024, vocab_size = 512, max_position = 64> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<512x1024xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<512x1024xf32>) -> tensor<?x1024xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x1024xf32>) -> tensor<?x1024xf32> {
  ^bb0(%h: tensor<?x1024xf32>):
    %wq = xfmr.weight "q" : tensor<1024x1024xf32>
    %wk = xfmr.weight "k" : tensor<1024x1024xf32>
    %wv = xfmr.weight "v" : tensor<1024x1024xf32>
    %wo = xfmr.weight "o" : tensor<1024x1024xf32>
    %q = xfmr.linear %h, %wq : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
    %v = xfmr.linear %h, %wv : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
    %a = xfmr.attention %q, %k, %v heads 16 kv_heads 16 head_dim 64 causal scale 0.125
        : (tensor<?x1024xf32>, tensor<?x1024xf32>, tensor<?x1024xf32>) -> tensor<?x1024xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
    %r = xfmr.add %h, %o : tensor<?x1024xf32>
    %wu = xfmr.weight "up" : tensor<4096x1024xf32>
    %wd = xfmr.weight "down" : tensor<1024x4096xf32>
    %u = xfmr.linear %r, %wu : (tensor<?x1024xf32>, tensor<4096x1024xf32>) -> tensor<?x4096xf32>
    %g = xfmr.activation gelu %u : tensor<?x4096xf32>
    %d = xfmr.linear %g, %wd : (tensor<?x4096xf32>, tensor<1024x4096xf32>) -> tensor<?x1024xf32>
    %z = xfmr.add %r, %d : tensor<?x1024xf32>
    xfmr.yield %z : tensor<?x1024xf32>
  }
  xfmr.yield %y : tensor<?x1024xf32>
}
