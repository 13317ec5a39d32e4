// Counting and sorting of a few integers by one thread: words are loaded, added and stored, and nothing is called. Experts of
// no row get no tile.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_plan<>
      params #xfmr.moe_plan_params<layout = <experts = 4, top_k = 2, max_rows = 8>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.load {{.*}} -> i32
// CHECK: llvm.add {{.*}} : i32
// CHECK: llvm.store {{.*}} : i32
// CHECK-NOT: llvm.call
