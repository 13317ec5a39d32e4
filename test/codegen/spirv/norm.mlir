// The sum of squares goes through workgroup memory, then one inverse root a row.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.norm<>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 288
// CHECK: spirv.mlir.loop
// CHECK-COUNT-3: spirv.ControlBarrier
// CHECK: spirv.GL.InverseSqrt
// CHECK: spirv.mlir.loop
