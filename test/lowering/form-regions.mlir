// What shares a kernel, by target, and what only looks like it. Text goes round and gives the same dispatches.
// RUN: xfmr-opt %s --xfmr-split-phases="max-context=64 chunk=8" --xfmr-form-regions --remarks -o %t.mlir 2>%t.remarks
// RUN: FileCheck %s < %t.mlir
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: xfmr-opt %t.mlir | xfmr-opt --xfmr-select-kernels -o %t.twice.mlir
// RUN: xfmr-opt %t.mlir --xfmr-form-regions --xfmr-select-kernels -o %t.once.mlir && cmp %t.once.mlir %t.twice.mlir
// RUN: xfmr-opt %s --xfmr-split-phases="max-context=64 chunk=8 target=cpu" --xfmr-form-regions 2>/dev/null | FileCheck %s --check-prefix=CPU

// CHECK: xfmr.program @tiny max_context 64 chunk 8 kv f32 moe auto target <vulkan, binding_bytes = 134217728,
// CHECK: xfmr.phase prefill rows 8
// CHECK: %[[X:.*]] = xfmr.fused embedding (%{{.*}}) : (tensor<8xi32>) -> tensor<8x8xf32>
// Several rows: the norm is a region of its own.
// CHECK: xfmr.fused norm layer 0 (%[[X]])
// CHECK: %[[QKV:.*]] = xfmr.fused product layer 0
// CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = xfmr.split %[[QKV]]
// Norms of heads and rope go into the attention.
// CHECK: xfmr.fused attention layer 0 (%[[Q]], %[[K]], %[[V]])
// CHECK: xfmr.rms_norm
// CHECK-NEXT: xfmr.position
// CHECK: xfmr.rope half
// CHECK: xfmr.rope half
// CHECK: xfmr.cached_attention
// CHECK-NEXT: xfmr.yield
// An epilogue in its order, with the residual last.
// CHECK: xfmr.fused product layer 0
// CHECK: xfmr.linear
// CHECK-NEXT: xfmr.activation tanh
// CHECK-NEXT: xfmr.scale
// CHECK-NEXT: xfmr.softcap
// CHECK-NEXT: xfmr.add
// CHECK-NEXT: xfmr.yield
// Near misses: sigmoid, which makes something of padded zeros; an activation behind a scale.
// CHECK: xfmr.fused product layer 0
// CHECK-NEXT: ^bb0
// CHECK-NEXT: xfmr.weight
// CHECK-NEXT: xfmr.linear
// CHECK-NEXT: xfmr.yield
// CHECK: xfmr.fused elementwise layer 0
// CHECK-NEXT: ^bb0
// CHECK-NEXT: xfmr.activation sigmoid
// CHECK: xfmr.fused product layer 0
// CHECK: xfmr.scale
// CHECK-NEXT: xfmr.yield
// CHECK: xfmr.fused elementwise layer 0
// CHECK-NEXT: ^bb0
// CHECK-NEXT: xfmr.activation silu
// The norm of the head takes the last row.
// CHECK: xfmr.phase last_logits rows 1
// CHECK: xfmr.fused norm (%{{.*}}) : (tensor<8x8xf32>) -> tensor<1x8xf32>
// CHECK: xfmr.last_row
// CHECK-NEXT: xfmr.weight
// CHECK-NEXT: xfmr.rms_norm
// CHECK: xfmr.phase all_logits
// One row: the norm of a whole row goes into the product, and nothing but products reads it.
// CHECK: xfmr.phase decode rows 1
// CHECK: xfmr.fused embedding
// CHECK-NOT: xfmr.fused norm
// CHECK: xfmr.fused product layer 0
// CHECK: xfmr.rms_norm
// CHECK: xfmr.linear
// CHECK: xfmr.fused product (
// CHECK: xfmr.rms_norm
// CHECK: xfmr.linear
// CHECK: xfmr.phase sample rows 1
// CHECK: xfmr.fused sample ()
// CHECK-NEXT: xfmr.sample

// REMARK: remark: stays apart from the product before it: the activation does not keep the zeros of padded columns
// REMARK: remark: stays apart from the product before it: an activation is the first step of an epilogue

// CPU: target <cpu, alignment = 64, levels = [v2, v3, v4, v4_dot, v4_amx]>
// CPU: xfmr.phase decode rows 1
// CPU: xfmr.fused norm layer 0
// CPU: xfmr.fused product layer 0
// CPU-NOT: xfmr.rms_norm
// CPU: xfmr.fused attention layer 0
xfmr.model @tiny (%tokens: tensor<?xi32>) -> tensor<?x16xf32>
    config <architecture = "llama", hidden_size = 8, vocab_size = 16, max_position = 64> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<16x8xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%h: tensor<?x8xf32>):
    %g = xfmr.weight "norm" : tensor<8xf32>
    %wqkv = xfmr.weight "qkv" : tensor<16x8xf32>
    %gq = xfmr.weight "q_norm" : tensor<4xf32>
    %w = xfmr.weight "o" : tensor<8x8xf32>
    %n = xfmr.rms_norm %h, %g eps 1.0e-5 : tensor<?x8xf32>, tensor<8xf32>
    %qkv = xfmr.linear %n, %wqkv : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %q, %k, %v = xfmr.split %qkv : tensor<?x16xf32> -> tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %qn = xfmr.rms_norm %q, %gq eps 1.0e-5 : tensor<?x8xf32>, tensor<4xf32>
    %qr = xfmr.rope half %qn head_dim 4 theta 1.0e4 : tensor<?x8xf32>
    %kr = xfmr.rope half %k head_dim 4 theta 1.0e4 : tensor<?x4xf32>
    %a = xfmr.attention %qr, %kr, %v heads 2 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    %o = xfmr.linear %a, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %o1 = xfmr.activation tanh %o : tensor<?x8xf32>
    %o2 = xfmr.scale %o1 by 2.0 : tensor<?x8xf32>
    %o3 = xfmr.softcap %o2 cap 30.0 : tensor<?x8xf32>
    %r = xfmr.add %h, %o3 : tensor<?x8xf32>
    %p = xfmr.linear %r, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %p1 = xfmr.activation sigmoid %p : tensor<?x8xf32>
    %s = xfmr.linear %p1, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %s1 = xfmr.scale %s by 0.5 : tensor<?x8xf32>
    %s2 = xfmr.activation silu %s1 : tensor<?x8xf32>
    xfmr.yield %s2 : tensor<?x8xf32>
  }
  %gf = xfmr.weight "final" : tensor<8xf32>
  %z = xfmr.rms_norm %y, %gf eps 1.0e-5 : tensor<?x8xf32>, tensor<8xf32>
  %logits = xfmr.linear %z, %table : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  xfmr.yield %logits : tensor<?x16xf32>
}
