// The first grouped product: rows of a tile of the plan are copied side by side, then go through a block in registers as in gemm.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_gemm<weight = f16, epilogue = <glu>, tile_rows = 8>
      params #xfmr.moe_gemm_params<layout = <experts = 4, top_k = 2, max_rows = 8, tile_rows = 8>, n = 32, k = 16, x = <stride = 16>, out = <stride = 16>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// CHECK: llvm.load {{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.store {{.*}} : vector<{{8|16}}xf32>
// CHECK: llvm.br ^{{.*}} : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
// CHECK: llvm.load {{.*}} -> vector<16xf16>
// CHECK: llvm.fpext {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK-COUNT-24: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.fmul {{.*}} : vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
