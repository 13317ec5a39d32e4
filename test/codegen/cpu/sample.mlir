// Greedy and drawn ids: logits are compared as ordered integers and exp is a polynomial, 16 lanes at a time.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.sample<>
      params #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.xor {{.*}} : vector<16xi32>
// CHECK: llvm.icmp "ugt" {{.*}} : vector<16xi32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<16xf32>
// CHECK: llvm.fadd {{.*}} : vector<16xf32>
// CHECK-NOT: llvm.call
