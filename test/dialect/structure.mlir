// Round trip of the frame of a model, as text and as bytecode.
// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --mlir-print-op-generic | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --emit-bytecode | xfmr-opt | FileCheck %s

// CHECK: xfmr.model @tiny (%{{.*}}: tensor<?xi32>) -> tensor<?x8xf32>
// CHECK-NEXT: config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16, bos_token = 1, eos_tokens = [1, 2]>
// CHECK-NEXT: sources {adapter = "lora", base = "tiny"} attributes {note = "kept"} {
xfmr.model @tiny (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16, bos_token = 1, eos_tokens = [1, 2]>
    sources {base = "tiny", adapter = "lora"} attributes {note = "kept"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // CHECK: %x4, %x4_0 = xfmr.block 3 (%[[X:.*]], %[[X]]) {note = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %y:2 = xfmr.block 3 (%x, %x) {note = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  ^bb0(%h: tensor<?x4xf32>, %i: tensor<?x4xf32>):
    %s = xfmr.add %h, %i : tensor<?x4xf32>
    xfmr.yield %s, %h : tensor<?x4xf32>, tensor<?x4xf32>
  }
  %logits = xfmr.linear %y#1, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  // CHECK: xfmr.yield %{{.*}} : tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
// An encoder yields hidden states; no source but base needs naming.
// CHECK: xfmr.model @encoder
// CHECK-NEXT: config <architecture = "bert", hidden_size = 4, vocab_size = 8, max_position = 16>
// CHECK-NEXT: sources {} {
xfmr.model @encoder (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "bert", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
