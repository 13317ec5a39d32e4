// Rows over the cache: queries of a group share what is loaded of a key; scores, exp and values go in vectors.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.attention_prefill<head_dim = 64>
      params #xfmr.attention_prefill_params<num_heads = 4, num_kv_heads = 2, max_context = 512, max_rows = 8, q = <stride = 256>, out = <stride = 256>, scale = 0.125>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.load {{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.intr.floor({{.*}} -> vector<{{8|16}}xf32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.store {{.*}} : vector<{{8|16}}xf32>
// CHECK-NOT: llvm.call
