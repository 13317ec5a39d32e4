// What becomes of products at the levels that no machine at hand may have: the instructions that a loop is made of. Tile registers are
// named by the builder, so each is loaded as often as the code says and nothing of them is spilled.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables,xfmr-serialize-executables)))" -o %t.mlir
// RUN: %python %S/Inputs/disassemble.py llvm-objdump %t.mlir > %t.txt
// RUN: FileCheck %s < %t.txt

xfmr.program @tiles max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v4_dot, v4_amx]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @rows #xfmr.gemm<weight = bf16>
      params #xfmr.gemm_params<n = 128, k = 512, max_rows = 512, x = <stride = 512>, out = <stride = 128>>
  xfmr.executable @row #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 128, k = 512>
  xfmr.executable @coded #xfmr.gemm<weight = q4, codes>
      params #xfmr.gemm_params<n = 128, k = 512, max_rows = 512, x = <stride = 512>, out = <stride = 128>>
  xfmr.executable @wide #xfmr.gemm<weight = q8_wide, codes>
      params #xfmr.gemm_params<n = 128, k = 512, max_rows = 512, x = <stride = 512>, out = <stride = 128>>
  xfmr.executable @coded_row #xfmr.gemv<weight = q4, codes>
      params #xfmr.gemv_params<n = 128, k = 512>
}

// Two tiles of rows and two panels, read where they lie: four loads and four products a step of 32 columns.
// CHECK-LABEL: rows v4_amx:
// CHECK: ldtilecfg
// CHECK: vcvtne2ps2bf16
// CHECK: tileloadd {{.*}}, %tmm0
// CHECK: tileloadd {{.*}}, %tmm1
// CHECK: tileloadd {{.*}}, %tmm2
// CHECK: tileloadd {{.*}}, %tmm3
// CHECK: tileloadd {{.*}}, %tmm4
// CHECK: tileloadd {{.*}}, %tmm5
// CHECK: tileloadd {{.*}}, %tmm6
// CHECK: tileloadd {{.*}}, %tmm7
// CHECK-NEXT: tdpbf16ps %tmm6, %tmm4, %tmm0
// CHECK-NEXT: tdpbf16ps %tmm7, %tmm4, %tmm1
// CHECK-NEXT: tdpbf16ps %tmm6, %tmm5, %tmm2
// CHECK-NEXT: tdpbf16ps %tmm7, %tmm5, %tmm3
// CHECK-NOT: tile
// CHECK: j{{[a-z]+}}
// CHECK: tilestored %tmm0
// CHECK: tilestored %tmm1
// CHECK: tilestored %tmm2
// CHECK: tilestored %tmm3
// CHECK-LABEL: rows v4_dot:
// CHECK-NOT: tile
// One row adds up as a tile does, by vectors: even columns and odd ones.
// CHECK-LABEL: row v4_amx:
// CHECK-NOT: tile
// CHECK-COUNT-32: vdpbf16ps
// CHECK-NOT: vdpbf16ps
// CHECK-LABEL: row v4_dot:
// Four blocks of 32 columns at once, then their scales.
// CHECK-LABEL: coded v4_amx:
// CHECK: ldtilecfg
// CHECK-COUNT-4: tdpbssd
// CHECK-NOT: tdpbssd
// CHECK: tilestored %tmm0
// CHECK-NEXT: tilestored %tmm1
// CHECK-NEXT: tilestored %tmm2
// CHECK-NEXT: tilestored %tmm3
// CHECK-COUNT-64: vcvtdq2ps
// CHECK: tilerelease
// CHECK-LABEL: coded v4_dot:
// CHECK-LABEL: wide v4_amx:
// CHECK-COUNT-4: tdpbsud
// CHECK-LABEL: wide v4_dot:
// Codes of one row are v4_dot's.
// CHECK-NOT: coded_row v4_amx:
// CHECK: coded_row v4_dot:

xfmr.program @bytes max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [neon, neon_dot]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @arm #xfmr.gemv<weight = q8, codes>
      params #xfmr.gemv_params<n = 64, k = 512>
  xfmr.executable @arm_dense #xfmr.gemv<weight = bf16>
      params #xfmr.gemv_params<n = 64, k = 512>
}
// CHECK-LABEL: arm neon_dot:
// CHECK-COUNT-32: sdot
// CHECK-LABEL: arm neon:
// CHECK-NOT: sdot
// CHECK-NOT: arm_dense neon_dot:
// CHECK: arm_dense neon:
