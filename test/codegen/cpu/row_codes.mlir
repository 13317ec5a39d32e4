// Rows as codes: magnitudes compared as integers, one multiply-add rounds, the low bytes of its bits are the codes. Levels
// without dots of bytes write a word and no more.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v2, v4_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.row_codes<>
      params #xfmr.row_codes_params<width = 256, max_rows = 8, x = <stride = 256>>
}

// CHECK-LABEL: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK: llvm.func @k.v4_dot(
// CHECK-COUNT-2: llvm.load {{.*}} -> vector<16xf32>
// CHECK: llvm.intr.umax({{.*}} -> vector<16xi32>
// CHECK-COUNT-2: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.trunc {{.*}} : vector<32xi32> to vector<32xi8>
// CHECK: llvm.store {{.*}} : vector<8xi32>
// CHECK: xfmr.variant "v2" requires ["v2"]
// CHECK: llvm.func @k.v2(
// CHECK-NOT: vector<
