// A product of one row: panels of 16 rows, bf16 in pairs of columns widened by a shift and a mask, four panels side by side:
// as many chains of multiply-adds in registers; no float is multiplied or added alone.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v3]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 64, k = 16>
}

// CHECK-LABEL: xfmr.variant "v3" requires ["v3"]
// CHECK: llvm.func @k.v3(
// CHECK-NOT: llvm.f{{(mul|add)}} {{.*}} : f32
// The loop over columns carries the sums of four panels.
// CHECK: llvm.br ^{{[a-z0-9]+}}(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}} : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: llvm.load {{.*}} -> vector<16xi32>
// CHECK: llvm.shl {{.*}} : vector<16xi32>
// CHECK: llvm.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: llvm.and {{.*}} : vector<16xi32>
// CHECK-COUNT-16: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK-NOT: llvm.intr.fma({{.*}} -> f32
// CHECK: llvm.store {{.*}} : vector<16xf32>

// By dots: the row is rounded to bf16 once, then pairs of columns are multiplied and added by one instruction; a product of
// fewer columns is that of v4.
xfmr.program @dots max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v4_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @wide #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 64, k = 256>
  xfmr.executable @narrow #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 64, k = 248>
}
// CHECK-LABEL: xfmr.executable @wide
// CHECK: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK: llvm.fptrunc {{.*}} : vector<{{8|16}}xf32> to vector<{{8|16}}xbf16>
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// CHECK-LABEL: xfmr.executable @narrow
// CHECK: xfmr.variant "v4" requires ["v4"]
// CHECK-NOT: call_intrinsic

// Codes of four bits: where a level has no dots of bytes they become numbers on the way, by a multiply-add of scale and code;
// two panels go side by side. With dots the row is read as row_codes left it: eight columns a word of codes, four a dot, and one
// conversion and one multiply-add a block of 32 columns. Dots of pairs are added up in 16 bits, and to 32 bits once a block.
xfmr.program @quantised max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v2, v3, v4_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @q #xfmr.gemv<weight = q4, codes>
      params #xfmr.gemv_params<n = 64, k = 256>
}
// CHECK-LABEL: xfmr.executable @q
// CHECK: xfmr.variant "v4_dot" requires ["v4_dot"]
// CHECK: llvm.br ^{{[a-z0-9]+}}(%{{[0-9]+}}, %{{[0-9]+}} : i64, vector<16xf32>)
// CHECK: llvm.and {{.*}} : vector<16xi32>
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"({{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// CHECK-NOT: call_intrinsic
// CHECK: llvm.fpext {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK: llvm.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK: xfmr.variant "v3" requires ["v3"]
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"({{.*}}) : (vector<32xi8>, vector<32xi8>) -> vector<16xi16>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
// CHECK-NOT: call_intrinsic
// CHECK: xfmr.variant "v2" requires ["v2"]
// CHECK-NOT: call_intrinsic
// CHECK: llvm.br ^{{[a-z0-9]+}}(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}} : i64, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-32: llvm.sitofp {{.*}} : vector<16xi32> to vector<16xf32>

// Numbers that are widened are asked for ahead: in a step of four columns two lines of each panel, here and, from 48 columns before the
// end on, where the tile's next panels begin. Numbers that are not widened are left to the processor.
xfmr.program @ahead max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v4]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @half #xfmr.gemv<weight = f16>
      params #xfmr.gemv_params<n = 128, k = 768>
  xfmr.executable @single #xfmr.gemv<weight = f32>
      params #xfmr.gemv_params<n = 128, k = 768>
}
// CHECK-LABEL: xfmr.executable @half
// CHECK-DAG: %[[TURN:.*]] = llvm.mlir.constant(720 : {{.*}}) : i64
// CHECK: llvm.icmp "slt" {{.*}}, %[[TURN]]
// CHECK-COUNT-8: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK-COUNT-16: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// CHECK-COUNT-8: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK-LABEL: xfmr.executable @single
// CHECK-NOT: llvm.intr.prefetch
