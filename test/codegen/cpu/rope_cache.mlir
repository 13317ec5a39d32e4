// Pairs of a head turn in vectors: both halves are loaded before either is stored. Keys and values go into the cache as f16.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.rope_cache<cache = f16>
      params #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 64, rotary_dim = 64, max_context = 8, max_rows = 1, q = <stride = 128>, k = <stride = 64>, v = <stride = 64>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<16xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.fptrunc {{.*}} : vector<16xf32> to vector<16xf16>
// CHECK: llvm.store {{.*}} : vector<16xf16>
