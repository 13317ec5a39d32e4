// Online softmax: exponentials of scores less the running maximum.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.attention_prefill<head_dim = 16, sinks>
}

// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle+texel_buffers"
// CHECK: spirv.GlobalVariable @main_arg_2 bind(0, 2) : !spirv.ptr<!spirv.image<i32, Buffer
// CHECK: spirv.GlobalVariable @main_arg_3 bind(0, 3) : !spirv.ptr<!spirv.image<i32, Buffer
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformShuffle
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 9728
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.FMax
