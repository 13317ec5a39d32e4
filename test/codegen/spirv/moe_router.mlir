// Top-k without sorting: the place of an expert is the number of experts whose ordered key beats its own.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_router<experts = 8, top_k = 2, norm>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 1664
// CHECK: spirv.ControlBarrier
// CHECK: spirv.BitwiseXor
// CHECK: spirv.UGreaterThan
// CHECK: spirv.FDiv
