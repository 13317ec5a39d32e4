// Rows as pairs of bf16: 32 columns an instruction, zeros behind the last. Levels without dots of bf16 write a word and no more.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v2, v4_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.row_pairs
      params #xfmr.row_pairs_params<width = 264, max_rows = 8, x = <stride = 264>>
  // The product reads them: nothing is rounded, and a pair goes to sixteen outputs of two panels at once.
  xfmr.executable @g #xfmr.gemm<weight = bf16, pairs>
      params #xfmr.gemm_params<n = 64, k = 256, max_rows = 8, x = <stride = 256>, out = <stride = 64>>
}

// CHECK-LABEL: xfmr.executable @k
// CHECK: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK: llvm.func @k.v4_dot(
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CHECK: llvm.store {{.*}} : vector<16xi32>
// CHECK: llvm.fptrunc {{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK-COUNT-4: llvm.store {{.*}} : vector<4xi32>
// CHECK: xfmr.variant "v2" requires ["v2"]
// CHECK: llvm.func @k.v2(
// CHECK-NOT: vector<
// CHECK-LABEL: xfmr.executable @g
// CHECK: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK-NOT: {{fptrunc|cvtne}}
// CHECK: llvm.br ^{{.*}} : i64{{(, vector<16xf32>)+}})
// CHECK-COUNT-96: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK-NOT: {{fptrunc|cvtne}}
// CHECK: xfmr.variant "v2" requires ["v2"]
