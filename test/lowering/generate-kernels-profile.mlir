// With a profile of devices a kernel keeps the variant that they take, and the portable one.
// RUN: xfmr-opt %s --xfmr-generate-kernels | grep "xfmr.variant" | FileCheck %s --check-prefix=ALL
// ALL: "cooperative_matrix_f16_16x16x16+subgroup_size_32" requires ["cooperative_matrix_f16_16x16x16", "subgroup_size_32"]
// ALL: "cooperative_matrix_f16_16x16x16+subgroup_size_64+workgroup_256"
// ALL: "subgroup_size_8+subgroup_shuffle+texel_buffers"
// ALL: "portable"
// RUN: xfmr-opt %s --xfmr-generate-kernels="device-profile=navi31" | grep "xfmr.variant" | FileCheck %s --check-prefix=NAVI31
// NAVI31: "cooperative_matrix_f16_16x16x16+subgroup_size_64+workgroup_256"
// NAVI31-NEXT: "portable"
// NAVI31-NOT: xfmr.variant
// RUN: xfmr-opt %s --xfmr-generate-kernels="device-profile=lavapipe" | grep "xfmr.variant" | FileCheck %s --check-prefix=LAVAPIPE
// LAVAPIPE: "subgroup_size_8+subgroup_shuffle+texel_buffers"
// LAVAPIPE-NEXT: "portable"
// LAVAPIPE-NOT: xfmr.variant
// RUN: xfmr-opt %s --xfmr-generate-kernels="device-profile=adreno" | grep "xfmr.variant" | FileCheck %s --check-prefix=ADRENO
// ADRENO: "portable"
// ADRENO-NOT: xfmr.variant
// RUN: not xfmr-opt %s --xfmr-generate-kernels="device-profile=navi13" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: device-profile: there is no device 'navi13', there are gcn
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @halves #xfmr.gemm<weight = f16>
}
