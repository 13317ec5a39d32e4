// What no kernel reads as codes becomes numbers at the product that uses it; selections stay on the codes.
// RUN: xfmr-opt %s --xfmr-expand-quantized --remarks 2>&1 | FileCheck %s

// CHECK: remark: 1 quantised weights are stored as f32: no kernel reads their codes
// CHECK-LABEL: xfmr.model @two
// CHECK: %[[Q:.*]] = xfmr.weight "q" : tensor<16x64x!xfmr.q<int4, group = 32>>
// CHECK: %[[S:.*]] = xfmr.weight_slice %[[Q]] axis 0 offset 0 size 8
// CHECK: xfmr.linear %{{.*}}, %[[S]] : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int4, group = 32>>) -> tensor<?x8xf32>
// CHECK: %[[R:.*]] = xfmr.weight "r"
// CHECK: %[[F:.*]] = xfmr.weight_cast %[[R]] : tensor<2x64x!xfmr.q<int8, group = 32>> -> tensor<2x64xf32>
// CHECK-NOT: weight_cast
// CHECK: xfmr.moe %{{.*}} router %[[F]]
// CHECK: xfmr.linear %{{.*}}, %{{.*}} : (tensor<?x64xf32>, tensor<64x64x!xfmr.q<int8, group = 32>>) -> tensor<?x64xf32>
xfmr.model @two (%tokens: tensor<?xi32>) -> tensor<?x64xf32>
    config <architecture = "llama", hidden_size = 64, vocab_size = 64, max_position = 8>
    sources {base = "w.safetensors"} {
  %table = xfmr.weight "embed" : tensor<64x64xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x64xf32>) -> tensor<?x64xf32> {
  ^bb0(%h: tensor<?x64xf32>):
    %q = xfmr.weight "q" : tensor<16x64x!xfmr.q<int4, group = 32>>
    %s = xfmr.weight_slice %q axis 0 offset 0 size 8 : tensor<16x64x!xfmr.q<int4, group = 32>> -> tensor<8x64x!xfmr.q<int4, group = 32>>
    %u = xfmr.linear %h, %s : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int4, group = 32>>) -> tensor<?x8xf32>
    %d = xfmr.weight "d" : tensor<64x8x!xfmr.q<int4, group = row>>
    %v = xfmr.linear %u, %d : (tensor<?x8xf32>, tensor<64x8x!xfmr.q<int4, group = row>>) -> tensor<?x64xf32>
    %r = xfmr.weight "r" : tensor<2x64x!xfmr.q<int8, group = 32>>
    %e = xfmr.weight "e" : tensor<2x64x64x!xfmr.q<int8, group = 32>>
    %m = xfmr.moe %v router %r experts(%e) routing <top_k = 1, score = softmax>
        : (tensor<?x64xf32>, tensor<2x64x!xfmr.q<int8, group = 32>>, tensor<2x64x64x!xfmr.q<int8, group = 32>>) -> tensor<?x64xf32> {
    ^bb0(%t: tensor<?x64xf32>, %w: tensor<64x64x!xfmr.q<int8, group = 32>>):
      %o = xfmr.linear %t, %w : (tensor<?x64xf32>, tensor<64x64x!xfmr.q<int8, group = 32>>) -> tensor<?x64xf32>
      xfmr.yield %o : tensor<?x64xf32>
    }
    xfmr.yield %m : tensor<?x64xf32>
  }
  xfmr.yield %y : tensor<?x64xf32>
}
