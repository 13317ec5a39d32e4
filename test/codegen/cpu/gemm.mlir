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

// Quantised: with dots of bytes blocks of six rows and two panels, twelve sums in integers beside twelve in f32; without, a tile is
// unpacked to f32 on the stack and multiplied as f32 is.
xfmr.program @quantised max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v2, v3, v4_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @q #xfmr.gemm<weight = q8, codes>
      params #xfmr.gemm_params<n = 64, k = 256, max_rows = 8, x = <stride = 256>, out = <stride = 64>>
}
// CHECK-LABEL: xfmr.executable @q
// CHECK: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK: llvm.br ^{{.*}} : i64{{(, vector<16xf32>)+}})
// CHECK-COUNT-96: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-COUNT-12: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// Four rows, 8 words, two registers, by sign and magnitude.
// CHECK: xfmr.variant "v3" requires ["v3"]
// CHECK-COUNT-64: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
// CHECK-NOT: call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: xfmr.variant "v2" requires ["v2"]
// CHECK-NOT: call_intrinsic
// CHECK: llvm.alloca {{.*}} x f32 {alignment = 64 : i64}
// CHECK-COUNT-32: llvm.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
