// Splits that pass their results on: what they store is seen by the workgroup that finds itself the last one. `partial` and `done` are
// coherent, the caches, which nobody else reads in this dispatch, are not.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels)))" | FileCheck %s --check-prefix=GPU
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 512 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 512> sources {} {
  xfmr.executable @k #xfmr.attention_decode<head_dim = 64, combines, caches, style = half>
}

// GPU: gpu.module {{.*}}coherent_bindings = array<i32: 6, 5>
// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK-NOT: coherent_bindings
// CHECK-NOT: bind(0, 2) {coherent}
// CHECK-DAG: spirv.GlobalVariable {{.*}} bind(0, 5) {coherent}
// CHECK-DAG: spirv.GlobalVariable {{.*}} bind(0, 6) {coherent}
// CHECK: spirv.ControlBarrier <Workgroup>, <Device>, <AcquireRelease|UniformMemory|WorkgroupMemory>
// CHECK: spirv.AtomicIAdd <Device> <AcquireRelease|UniformMemory>
// CHECK: spirv.ControlBarrier <Workgroup>, <Device>, <AcquireRelease|UniformMemory|WorkgroupMemory>
