// A place two walks over the row in vectors of 16: the largest key, then the lowest column that has it.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.top_k<top = 5>
      params #xfmr.top_k_params<width = 352, max_rows = 8, x = <stride = 352>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: llvm.intr.umax({{.*}} -> vector<16xi32>
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: llvm.intr.umax({{.*}} -> vector<16xi32>
// CHECK: llvm.uitofp
