// Rows of one expert, gathered by the plan; tiles beyond the grid do nothing.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_gemm<weight = f16, epilogue = <activation = silu, glu>, tile_rows = 8>
}

// By matrix units a tile of eight rows is one of sixteen, and four subgroups share its columns: two products for 32
// columns, or eight of a wide tile.
// CHECK-LABEL: xfmr.variant "cooperative_matrix_f16_16x16x16+subgroup_size_32"
// CHECK-SAME: workgroup [128, 1, 1] shared 21760
// CHECK-COUNT-10: spirv.KHR.CooperativeMatrixMulAdd
// CHECK-NOT: CooperativeMatrixMulAdd
// CHECK-LABEL: xfmr.variant "cooperative_matrix_f16_16x16x16+subgroup_size_64+workgroup_256"
// CHECK-COUNT-10: spirv.KHR.CooperativeMatrixMulAdd
// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK: spirv.GroupNonUniformShuffle
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 5856
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.UnpackHalf2x16
// CHECK: spirv.GL.Fma
