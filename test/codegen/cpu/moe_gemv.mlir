// The second product by expert id: panels of the chosen expert, sums times its weight, added slot by slot in vectors.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_gemv<product = second, weighted>
      params #xfmr.moe_gemv_params<n = 16, k = 32, top_k = 2, max_rows = 1, x = <stride = 32>, out = <stride = 16>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-COUNT-4: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.fmul {{.*}} : vector<16xf32>
// CHECK: llvm.fadd {{.*}} : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
