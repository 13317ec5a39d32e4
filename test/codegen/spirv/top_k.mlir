// A place a walk over the row: keys in the order of numbers, the best of each invocation, then of all by way of workgroup memory.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.top_k<top = 5, magnitude>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 512
// CHECK: spirv.mlir.loop
// CHECK: spirv.mlir.loop
// CHECK: spirv.GL.FAbs
// CHECK: spirv.UGreaterThan
// CHECK: spirv.ControlBarrier
// CHECK: spirv.ControlBarrier
// CHECK: spirv.mlir.loop
// CHECK: spirv.ConvertUToF
