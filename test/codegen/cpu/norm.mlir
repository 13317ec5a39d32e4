// rms_norm: squares are summed in 16 chains, which are then added in a fixed tree; one root; then all columns times the weight.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.norm<>
      params #xfmr.norm_params<width = 40, max_rows = 4, x = <stride = 40>, out = <stride = 40>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.br ^{{.*}} : i64, vector<16xf32>
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.fadd {{.*}} : vector<8xf32>
// CHECK: llvm.fadd {{.*}} : vector<4xf32>
// CHECK: llvm.fadd {{.*}} : vector<2xf32>
// CHECK: llvm.intr.sqrt({{.*}} -> f32
// CHECK-COUNT-2: llvm.fmul {{.*}} : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
