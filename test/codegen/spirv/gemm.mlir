// A product of many rows: tiles in workgroup memory between barriers, a chain of fused multiply-adds.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemm<epilogue = <residual>>
  xfmr.executable @halves #xfmr.gemm<weight = f16>
}

// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK-NOT: spirv.ControlBarrier
// CHECK-COUNT-8: spirv.ImageFetch
// CHECK-NOT: spirv.ImageFetch
// CHECK: spirv.GroupNonUniformShuffle
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 10240
// CHECK-NOT: spirv.GroupNonUniform
// CHECK: spirv.ControlBarrier
// CHECK: spirv.ControlBarrier
// CHECK: spirv.mlir.loop
// CHECK-COUNT-256: spirv.GL.Fma

// f16 weights go to matrix units where there are some: SPIR-V 1.6 and Vulkan's memory model, x rounded, tiles written
// between barriers that make them visible, sums in f32: 32 products of a wide tile, 8 of another for 32 columns. What a loop
// begins with is stored in the variables that hold its results.
// CHECK-LABEL: xfmr.executable @halves
// CHECK: xfmr.variant "cooperative_matrix_f16_16x16x16+subgroup_size_32"
// CHECK-SAME: workgroup [128, 1, 1] shared 25600
// CHECK: spirv.module {{.*}}Logical Vulkan requires #spirv.vce<v1.6
// CHECK: spirv.FConvert {{.*}} : vector<4xf32> to vector<4xf16>
// CHECK: spirv.Store "Workgroup" {{.*}} ["NonPrivatePointer"] : vector<4xi32>
// CHECK: spirv.Store "Function" {{.*}} : !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK: spirv.mlir.loop
// CHECK: spirv.ControlBarrier <Workgroup>, <Workgroup>, <AcquireRelease|UniformMemory|WorkgroupMemory|MakeAvailable|MakeVisible>
// CHECK: spirv.KHR.CooperativeMatrixLoad {{.*}}, <RowMajor>, <NonPrivatePointer>
// CHECK: spirv.KHR.CooperativeMatrixLoad {{.*}}, <ColumnMajor>, <NonPrivatePointer>
// CHECK-COUNT-40: spirv.KHR.CooperativeMatrixMulAdd {{.*}} -> !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK-NOT: CooperativeMatrixMulAdd
// CHECK: spirv.KHR.CooperativeMatrixStore
// CHECK: xfmr.variant "cooperative_matrix_f16_16x16x16+subgroup_size_64+workgroup_256"
// CHECK-SAME: workgroup [256, 1, 1]
// CHECK: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK: spirv.module {{.*}}Logical GLSL450 requires #spirv.vce<v1.3
// CHECK: xfmr.variant "portable"
// CHECK-NOT: NonPrivatePointer
