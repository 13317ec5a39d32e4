// RUN: xfmr-opt %s --xfmr-cast-weights=type=bf16 | FileCheck %s
// RUN: not xfmr-opt %s --xfmr-cast-weights=type=int4 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: error: type is 'int4', expected f32, f16 or bf16
// Nothing happens to what has the type already.
// RUN: xfmr-opt %s -o %t.mlir && xfmr-opt %s --xfmr-cast-weights=type=f32 -o %t.same.mlir && cmp %t.same.mlir %t.mlir

// The embedding that is the head too is rounded once; vectors and the router stay.
// CHECK: %[[T:.*]] = xfmr.weight "embed" : tensor<9x4xf32>
// CHECK: %[[C:.*]] = xfmr.weight_cast %[[T]] : tensor<9x4xf32> -> tensor<9x4xbf16>
// CHECK: xfmr.embedding %{{.*}}, %[[C]]
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x9xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 9, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  // CHECK: xfmr.block 0
  // CHECK: %[[N:.*]] = xfmr.weight "norm" : tensor<4xf32>
  // CHECK: xfmr.rms_norm %{{.*}}, %[[N]]
  // CHECK: %[[R:.*]] = xfmr.weight "router" : tensor<2x4xf32>
  // CHECK: %[[U:.*]] = xfmr.weight_cast %{{.*}} : tensor<2x6x4xf32> -> tensor<2x6x4xbf16>
  // CHECK: xfmr.moe %{{.*}} router %[[R]] experts(%[[U]], %{{.*}})
  // CHECK: ^bb0(%{{.*}}: tensor<?x4xf32>, %[[S:.*]]: tensor<6x4xbf16>, %{{.*}}: tensor<4x6xbf16>)
  // CHECK: xfmr.linear %{{.*}}, %[[S]] : (tensor<?x4xf32>, tensor<6x4xbf16>) -> tensor<?x6xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %norm = xfmr.weight "norm" : tensor<4xf32>
    %n = xfmr.rms_norm %h, %norm eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
    %router = xfmr.weight "router" : tensor<2x4xf32>
    %up = xfmr.weight "up" : tensor<2x6x4xf32>
    %down = xfmr.weight "down" : tensor<2x4x6xf32>
    %m = xfmr.moe %n router %router experts(%up, %down) routing <top_k = 1, score = softmax>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x6x4xf32>, tensor<2x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %d: tensor<4x6xf32>):
      %h0 = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h0 : tensor<?x6xf32>
      %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    %s = xfmr.add %h, %m : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  // CHECK: xfmr.linear %{{.*}}, %[[C]] : (tensor<?x4xf32>, tensor<9x4xbf16>) -> tensor<?x9xf32>
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<9x4xf32>) -> tensor<?x9xf32>
  xfmr.yield %logits : tensor<?x9xf32>
}
