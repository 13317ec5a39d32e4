// Online softmax: exponentials of scores less the running maximum.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.attention_prefill<head_dim = 16, sinks>
}

// CHECK-LABEL: xfmr.variant "subgroup_size_8+subgroup_shuffle"
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.GroupNonUniformShuffle
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1] shared 9728
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.FMax
