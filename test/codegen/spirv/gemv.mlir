// A product of one row: bf16 weights come as words and are widened by shifts, the norm is one inverse root at the end.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemv<weight = bf16, rms_norm>
}

// CHECK-LABEL: xfmr.variant "subgroup_size_8+int64"
// CHECK: spirv.ShiftLeftLogical
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.InverseSqrt
// For GPUs: a row of the weight lies along the lanes, four loads of each of four rows come before the first use, and sums
// meet in registers.
// CHECK-LABEL: xfmr.variant "subgroup_size_32+subgroup_arithmetic+workgroup_256"
// CHECK-SAME: workgroup [256, 1, 1]
// CHECK: spirv.mlir.loop
// CHECK-NOT: spirv.GL.Fma
// CHECK-COUNT-16: spirv.Load "StorageBuffer" {{.*}} : vector<4xi32>
// CHECK: spirv.GL.Fma
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformFAdd <Subgroup> <Reduce>
// CHECK: spirv.GL.InverseSqrt
// CHECK: spirv.ExecutionMode @main "LocalSize", 256, 1, 1
// CHECK-LABEL: xfmr.variant "subgroup_size_64+subgroup_arithmetic+workgroup_512"
// CHECK-SAME: workgroup [512, 1, 1]
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformFAdd <Subgroup> <Reduce>
// CHECK: spirv.ExecutionMode @main "LocalSize", 512, 1, 1
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 1280
// CHECK: spirv.mlir.loop
// CHECK: spirv.ShiftLeftLogical
// CHECK: spirv.GL.Fma
// CHECK: spirv.ControlBarrier
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GL.InverseSqrt
// CHECK: spirv.EntryPoint "GLCompute" @main
// CHECK: spirv.ExecutionMode @main "LocalSize", 64, 1, 1
