// A product of one row: panels of 16 rows, bf16 in pairs of columns widened by a shift and a mask, four chains of multiply-adds
// in registers; no float is multiplied or added alone.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 64, k = 16>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// The loop over columns carries a sum a panel.
// CHECK: llvm.br ^{{.*}} : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
// CHECK: llvm.load {{.*}} -> vector<16xi32>
// CHECK: llvm.shl {{.*}} : vector<16xi32>
// CHECK: llvm.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: llvm.and {{.*}} : vector<16xi32>
// CHECK-COUNT-16: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK-NOT: llvm.intr.fma({{.*}} -> f32
// CHECK: llvm.store {{.*}} : vector<16xf32>
