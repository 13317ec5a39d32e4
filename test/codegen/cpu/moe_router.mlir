// Logits of four rows share the panels of the router; softmax is a polynomial over 16 experts; the best are found on ordered
// integers.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.moe_router<experts = 32, top_k = 2, norm>
      params #xfmr.moe_router_params<k = 16, max_rows = 4, x = <stride = 16>>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-COUNT-4: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: llvm.and {{.*}} : vector<16xi32>
// CHECK-COUNT-4: llvm.intr.fma({{.*}} -> vector<16xf32>
// CHECK: llvm.icmp "ugt" {{.*}} : vector<16xi32>
// CHECK-NOT: llvm.call
