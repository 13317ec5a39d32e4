// Counts and ranks by integer additions in the order of entries: no atomics.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_plan<>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [128, 1, 1]
// CHECK-NOT: Atomic
// CHECK: spirv.mlir.loop
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.UMin
// CHECK: spirv.EntryPoint
