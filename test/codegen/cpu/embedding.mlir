// A row of a table in panels of 16 rows: eight columns, bf16 widened in place of a copy, are gathered and stored as one vector.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.embedding<weight = bf16>
      params #xfmr.embedding_params<width = 16, vocab = 32, table_rows = 32, max_rows = 1, out = <stride = 16>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// An id beyond the vocabulary is clamped.
// CHECK: llvm.intr.umin
// CHECK: llvm.bitcast {{.*}} : i32 to f32
// CHECK-COUNT-8: llvm.insertelement {{.*}} : vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
