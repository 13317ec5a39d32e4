// The expert is read from the ids, its rows are offset in the stacked weight.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_gemv<product = second, weighted>
}

// CHECK-LABEL: xfmr.variant "subgroup_size_8+texel_buffers"
// CHECK-LABEL: xfmr.variant "subgroup_size_32+subgroup_arithmetic+workgroup_256"
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformFAdd <Subgroup> <Reduce>
// CHECK-LABEL: xfmr.variant "subgroup_size_64+subgroup_arithmetic+workgroup_512"
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformFAdd <Subgroup> <Reduce>
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 1024
// CHECK: spirv.mlir.loop
// CHECK: spirv.GL.Fma
// CHECK: spirv.ControlBarrier
// CHECK: spirv.FAdd
