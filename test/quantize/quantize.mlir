// RUN: xfmr-opt %s --xfmr-quantize="scheme=int4 group=2" | FileCheck %s
// RUN: xfmr-opt %s --xfmr-quantize="scheme=int8 method=absmax exclude=*up* embeddings=int8 head=int4 group=0" | FileCheck %s --check-prefix=CHOSEN

// RUN: not xfmr-opt %s --xfmr-quantize="scheme=q8_0" --remarks 2>&1 | FileCheck %s --check-prefix=BLOCKS
// BLOCKS: remark: not rounded: rows of 4 in "up" are no whole blocks of q8_0
// BLOCKS: error: there is no matrix to round

// CHECK-LABEL: xfmr.model @two
// CHECK: xfmr.embedding %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<4x4xf32>)
// CHECK: %[[UP:.*]] = xfmr.weight "up" : tensor<6x4xf32>
// CHECK: %[[UPQ:.*]] = xfmr.weight_quantize %[[UP]] by search : tensor<6x4xf32> -> tensor<6x4x!xfmr.q<int4, group = 2>>
// CHECK: xfmr.linear %{{.*}}, %[[UPQ]]
// CHECK: xfmr.weight_quantize %{{.*}} by search : tensor<4x6xf32> -> tensor<4x6x!xfmr.q<int4, group = 2>>
// CHECK: xfmr.linear %{{.*}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>

// CHOSEN: xfmr.weight_quantize %{{.*}} by search : tensor<4x4xf32> -> tensor<4x4x!xfmr.q<int8, group = row>>
// CHOSEN: xfmr.linear %{{.*}} : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
// CHOSEN: xfmr.weight_quantize %{{.*}} by absmax : tensor<4x6xf32> -> tensor<4x6x!xfmr.q<int8, group = row>>
// CHOSEN: xfmr.weight_quantize %{{.*}} by search : tensor<4x4xf32> -> tensor<4x4x!xfmr.q<int4, group = row>>
xfmr.model @two (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8>
    sources {base = "w.safetensors"} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %d = xfmr.linear %u, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %r = xfmr.add %h, %d : tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  %head = xfmr.weight "head" : tensor<4x4xf32>
  %logits = xfmr.linear %y, %head : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}
