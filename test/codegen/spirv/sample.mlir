// The largest logit by its ordered image, or a draw; the state moves on.
// RUN: xfmr-opt %s --split-input-file --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.sample<>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK: spirv.BitwiseXor
// CHECK: spirv.ControlBarrier

// -----

// In slices: each workgroup counts itself in a coherent buffer; histograms are atomic additions of integers in workgroup memory.
xfmr.program @slices max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @best #xfmr.sample<part = best>
  xfmr.executable @cut #xfmr.sample<part = cut>
  xfmr.executable @pick #xfmr.sample<part = pick>
}

// CHECK-LABEL: xfmr.executable @best
// CHECK: xfmr.variant "subgroup_size_8" requires ["subgroup_size_8"] workgroup [64, 1, 1]
// CHECK-NOT: spirv.AtomicIAdd
// CHECK: xfmr.variant "gpu+workgroup_256" requires ["gpu", "workgroup_256"] workgroup [256, 1, 1]
// CHECK: spirv.AtomicIAdd <Device> <AcquireRelease|UniformMemory>
// CHECK: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK-LABEL: xfmr.executable @cut
// CHECK: xfmr.variant "gpu+workgroup_256"
// CHECK: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK: spirv.GlobalVariable {{.*}}coherent
// CHECK: spirv.AtomicIAdd <Workgroup> <None>
// CHECK: spirv.AtomicIAdd <Device> <AcquireRelease|UniformMemory>
// CHECK-LABEL: xfmr.executable @pick
// CHECK: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK: spirv.AtomicIAdd <Device> <AcquireRelease|UniformMemory>
