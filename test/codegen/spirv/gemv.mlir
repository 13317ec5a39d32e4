// A product of one row: bf16 weights come as words and are widened by shifts, the norm is one inverse root at the end.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemv<weight = bf16, rms_norm>
}

// For software drivers: what it reads in the loop is bound as texels of four words, which become four floats of x and the
// norm, or eight of the weight; sixteen rows an invocation.
// CHECK-LABEL: xfmr.variant "subgroup_size_8+texel_buffers"
// CHECK-SAME: workgroup [16, 1, 1]
// CHECK: Logical GLSL450 requires #spirv.vce<v1.3, [Shader, SampledBuffer{{.*}}], [SPV_KHR_storage_buffer_storage_class]>
// CHECK: spirv.GlobalVariable @main_arg_0 bind(0, 0) : {{.*}} StorageBuffer>
// CHECK: spirv.GlobalVariable @main_arg_1 bind(0, 1) : !spirv.ptr<!spirv.image<i32, Buffer, NoDepth, NonArrayed, SingleSampled, NeedSampler, Unknown>, UniformConstant>
// CHECK: spirv.GlobalVariable @main_arg_2 bind(0, 2) : !spirv.ptr<!spirv.image<i32, Buffer
// CHECK: spirv.GlobalVariable @main_arg_3 bind(0, 3) : {{.*}} StorageBuffer>
// CHECK: spirv.GlobalVariable @main_arg_4 bind(0, 4) : !spirv.ptr<!spirv.image<i32, Buffer
// CHECK: spirv.mlir.loop
// CHECK: %[[WORDS:.*]] = spirv.ImageFetch %{{.*}}, %{{.*}} : {{.*}}, i32 -> vector<4xi32>
// CHECK: spirv.Bitcast %[[WORDS]] : vector<4xi32> to vector<4xf32>
// CHECK-COUNT-19: spirv.ImageFetch
// CHECK-NOT: spirv.ImageFetch
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
