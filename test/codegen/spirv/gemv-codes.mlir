// A product of one row with codes: words as they lie in panels, a load of four rows' words and one of their scales for 32 columns.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemv<weight = q4>
  xfmr.executable @wide #xfmr.gemm<weight = q8_wide>
}

// For software drivers: an invocation has four rows and all columns, so nothing is exchanged but x. A vec4 of x, a block's words and
// its scales are a texel each.
// CHECK-LABEL: xfmr.executable @k
// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK-SAME: workgroup [8, 1, 1] {
// CHECK: spirv.mlir.loop
// CHECK: spirv.ImageFetch
// CHECK: spirv.Bitcast {{.*}} to vector<4xf32>
// CHECK: spirv.ImageFetch
// CHECK: spirv.BitwiseXor
// CHECK: spirv.ShiftRightArithmetic
// CHECK: spirv.GroupNonUniformShuffle
// CHECK-COUNT-32: spirv.GL.Fma
// CHECK: spirv.GL.UnpackHalf2x16
// CHECK: spirv.GL.Fma
// CHECK-NOT: spirv.ControlBarrier
// CHECK-NOT: spirv.GL.Fma
// CHECK-LABEL: xfmr.variant "workgroup_256"
// CHECK-SAME: workgroup [256, 1, 1]
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK: spirv.Load "StorageBuffer" {{.*}} : vector<4xi32>
// CHECK: spirv.ControlBarrier

// Many rows: codes become numbers on their way, one multiply-add with scale and minimum.
// CHECK-LABEL: xfmr.executable @wide
// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK: spirv.BitwiseAnd
// CHECK: spirv.ConvertSToF
// CHECK: spirv.GL.Fma
// CHECK-LABEL: xfmr.variant "portable"
// CHECK: spirv.ControlBarrier
// CHECK: spirv.ConvertSToF
// CHECK: spirv.ControlBarrier
