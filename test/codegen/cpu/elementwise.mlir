// An activation over 40 columns: 16 lanes at a time, the last eight in a vector that nothing is read behind. erf is a
// polynomial without a call.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.elementwise<op = activation, activation = gelu>
      params #xfmr.elementwise_params<width = 40, max_rows = 4, a = <stride = 40>, out = <stride = 40>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add|div)}} {{.*}} : f32
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
// CHECK-NOT: llvm.call
