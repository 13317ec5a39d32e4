// One split of the keys: f16 keys are widened in vectors, scores are products in vectors, exp is a polynomial over all scores of
// the split, values are added a vector of columns at a time.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.attention_decode<head_dim = 64, cache = f16>
      params #xfmr.attention_decode_params<num_heads = 4, num_kv_heads = 2, max_context = 512, scale = 0.125>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.fpext {{.*}} : vector<{{8|16}}xf16> to vector<{{8|16}}xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.fmul {{.*}} : vector<{{8|16}}xf32>
// CHECK: llvm.intr.floor({{.*}} -> vector<{{8|16}}xf32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.fpext {{.*}} : vector<{{8|16}}xf16> to vector<{{8|16}}xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<{{8|16}}xf32>
// CHECK: llvm.store {{.*}} : vector<{{8|16}}xf32>
// CHECK-NOT: llvm.call
