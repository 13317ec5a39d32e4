// Rows times a weight: a block of six rows and a panel of 16 outputs in registers, f16 widened vector by vector; gates and ups part
// by shuffles, and silu is a polynomial of eight lanes.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemm<weight = f16, epilogue = <activation = silu, glu, residual>>
      params #xfmr.gemm_params<n = 64, k = 32, max_rows = 8, x = <stride = 32>, out = <stride = 32>, epilogue = <residual = <stride = 32>>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// CHECK: llvm.br ^{{.*}} : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
// CHECK: llvm.load {{.*}} -> vector<16xf16>
// CHECK: llvm.fpext {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK-COUNT-24: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.shufflevector {{.*}} [0, 2, 4, 6, 8, 10, 12, 14] : vector<16xf32>
// CHECK: llvm.shufflevector {{.*}} [1, 3, 5, 7, 9, 11, 13, 15] : vector<16xf32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<8xf32>
// CHECK: llvm.fdiv {{.*}} : vector<8xf32>
// CHECK-NOT: llvm.intr.fma({{.*}} -> f32
// CHECK: llvm.store {{.*}} : vector<8xf32>
