// Joins splits: exp of two maxima is a polynomial, sums of values are scaled and added in vectors.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.attention_combine<head_dim = 64>
      params #xfmr.attention_combine_params<num_heads = 4, max_context = 512>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.intr.maxnum
// CHECK-COUNT-4: llvm.intr.fma(
// CHECK: llvm.load {{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.store {{.*}} : vector<{{8|16}}xf32>
// CHECK-NOT: llvm.call
