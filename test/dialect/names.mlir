// Printed values carry names a person can read, and text -> bytecode -> text changes nothing.
// RUN: xfmr-opt %s -o %t.first.mlir && FileCheck %s < %t.first.mlir
// RUN: xfmr-opt %t.first.mlir -o %t.second.mlir && cmp %t.first.mlir %t.second.mlir
// RUN: xfmr-opt %s --emit-bytecode -o %t.mlirbc && xfmr-opt %t.mlirbc -o %t.third.mlir && cmp %t.first.mlir %t.third.mlir
// RUN: xfmr-opt %t.first.mlir --mlir-print-op-generic | xfmr-opt -o %t.fourth.mlir && cmp %t.first.mlir %t.fourth.mlir

// CHECK: xfmr.model @names (%tokens: tensor<?xi32>)
xfmr.model @names (%0: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 8, vocab_size = 8, max_position = 16> sources {base = "."} {
  // CHECK: %embed_tokens = xfmr.weight "model.embed_tokens.weight"
  %1 = xfmr.weight "model.embed_tokens.weight" : tensor<8x8xf32>
  // CHECK: %x0 = xfmr.embedding %tokens, %embed_tokens
  %2 = xfmr.embedding %0, %1 : (tensor<?xi32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  // CHECK: %x1 = xfmr.block 0 (%x0)
  %3 = xfmr.block 0 (%2) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: ^bb0(%h: tensor<?x8xf32>)
  ^bb0(%v0: tensor<?x8xf32>):
    // CHECK: %input_layernorm = xfmr.weight
    %v1 = xfmr.weight "model.layers.0.input_layernorm.weight" : tensor<8xf32>
    // CHECK: %normed = xfmr.rms_norm %h, %input_layernorm
    %v2 = xfmr.rms_norm %v0, %v1 eps 1.0e-5 : tensor<?x8xf32>, tensor<8xf32>
    // CHECK: %q_proj = xfmr.weight
    %wq = xfmr.weight "model.layers.0.self_attn.q_proj.weight" : tensor<8x8xf32>
    // CHECK: %q_proj_bias = xfmr.weight
    %bq = xfmr.weight "model.layers.0.self_attn.q_proj.bias" : tensor<8xf32>
    // CHECK: %q = xfmr.linear %normed, %q_proj bias %q_proj_bias
    %v3 = xfmr.linear %v2, %wq bias %bq : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    // CHECK: %q_proj_lora_A = xfmr.weight
    %la = xfmr.weight "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" : tensor<2x8xf32>
    // CHECK: %q_norm = xfmr.weight
    %qn = xfmr.weight "model.layers.0.self_attn.q_norm.weight" : tensor<4xf32>
    // CHECK: %q_normed = xfmr.rms_norm %q, %q_norm
    %v4 = xfmr.rms_norm %v3, %qn eps 1.0e-5 : tensor<?x8xf32>, tensor<4xf32>
    // CHECK: %q_normed_rope = xfmr.rope half %q_normed
    %v5 = xfmr.rope half %v4 head_dim 4 theta 1.0e4 : tensor<?x8xf32>
    // CHECK: %k_proj = xfmr.weight
    %wk = xfmr.weight "model.layers.0.self_attn.k_proj.weight" : tensor<8x8xf32>
    // CHECK: %k_proj_part = xfmr.weight_slice
    %v6 = xfmr.weight_slice %wk axis 0 offset 0 size 4 : tensor<8x8xf32> -> tensor<4x8xf32>
    // CHECK: %q_k = xfmr.weight_concat %q_proj, %k_proj
    %v7 = xfmr.weight_concat %wq, %wk axis 0 : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<16x8xf32>
    // CHECK: %q_k_out = xfmr.linear
    %v8 = xfmr.linear %v2, %v7 : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    // CHECK: %q_0, %k = xfmr.split %q_k_out
    %v9, %v10 = xfmr.split %v8 : tensor<?x16xf32> -> tensor<?x8xf32>, tensor<?x8xf32>
    // CHECK: %attn = xfmr.attention %q_normed_rope, %k, %k
    %v11 = xfmr.attention %v5, %v10, %v10 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    // CHECK: %h1 = xfmr.add %h, %attn
    %v12 = xfmr.add %v0, %v11 : tensor<?x8xf32>
    // CHECK: %gate_proj_0 = xfmr.weight
    %wg = xfmr.weight "model.layers.0.mlp.experts.0.gate_proj.weight" : tensor<4x8xf32>
    %wh = xfmr.weight "model.layers.0.mlp.experts.1.gate_proj.weight" : tensor<4x8xf32>
    // CHECK: %gate_proj_stack = xfmr.weight_stack %gate_proj_0, %gate_proj_1
    %ws = xfmr.weight_stack %wg, %wh : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<2x4x8xf32>
    %wr = xfmr.weight "model.layers.0.mlp.gate.weight" : tensor<2x8xf32>
    // CHECK: %moe = xfmr.moe %h1 router %gate experts(%gate_proj_stack)
    %v13 = xfmr.moe %v12 router %wr experts(%ws) routing <top_k = 1, score = softmax>
        : (tensor<?x8xf32>, tensor<2x8xf32>, tensor<2x4x8xf32>) -> tensor<?x8xf32> {
    // CHECK-NEXT: ^bb0(%t: tensor<?x8xf32>, %gate_proj: tensor<4x8xf32>)
    ^bb0(%e0: tensor<?x8xf32>, %e1: tensor<4x8xf32>):
      xfmr.yield %e0 : tensor<?x8xf32>
    }
    // CHECK: %h2 = xfmr.add %h1, %moe
    %v14 = xfmr.add %v12, %v13 : tensor<?x8xf32>
    xfmr.yield %v14 : tensor<?x8xf32>
  }
  // CHECK: %logits = xfmr.linear %x1, %embed_tokens
  %4 = xfmr.linear %3, %1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  xfmr.yield %4 : tensor<?x8xf32>
}
