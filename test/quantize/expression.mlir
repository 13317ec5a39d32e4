// An expert's matrix that is an expression over slices stays as it is.
// RUN: xfmr-opt %s --verify-diagnostics --xfmr-quantize="scheme=int8 group=0 method=absmax" | FileCheck %s

// CHECK: xfmr.weight_quantize %{{.*}} by absmax : tensor<4x4xf32> -> tensor<4x4x!xfmr.q<int8, group = row>>
// CHECK-NOT: xfmr.weight_quantize
xfmr.model @expression (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %p = xfmr.weight "p" : tensor<4x4xf32>
    %r = xfmr.weight "r" : tensor<2x4xf32>
    %w = xfmr.weight "w" : tensor<2x4x4xf32>
    // expected-remark@+1 {{rounded "p" to int8 group row by absmax}}
    %n = xfmr.linear %h, %p : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %m = xfmr.moe %n router %r experts(%w) routing <top_k = 1, score = softmax>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
      %es = xfmr.weight_scale %e by 2.0 : tensor<4x4xf32>
      // expected-remark@+1 {{not rounded: the matrix of an expert is an expression over slices}}
      %o = xfmr.linear %t, %es : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
