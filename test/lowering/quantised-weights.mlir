// Which quantised weights stay codes, and what products of them are dispatched as.
// RUN: xfmr-opt %s --xfmr-expand-quantized 2>/dev/null | FileCheck %s --check-prefix=KEPT
// RUN: xfmr-opt %s --xfmr-expand-quantized --remarks -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: xfmr-opt %s --xfmr-expand-quantized --xfmr-split-phases="target=cpu" --xfmr-form-regions --xfmr-select-kernels 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=DISPATCH
// RUN: xfmr-opt %s --xfmr-expand-quantized --xfmr-split-phases="target=vulkan" --xfmr-form-regions --xfmr-select-kernels 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=VULKAN
// RUN: xfmr-opt %s --xfmr-expand-quantized --xfmr-split-phases="target=cpu" --xfmr-form-regions --xfmr-select-kernels="row-codes=false" \
// RUN:   2>/dev/null | FileCheck %s --check-prefix=FLOATS
// REMARK: remark: 1 quantised weights are rounded again, to int8 in groups of 32: no kernel reads groups that are no multiple of 16, nor nf4

// Larger groups and two levels are stored as groups of 32 or 16 with the same values; groups of 8 are rounded again.
// KEPT-LABEL: xfmr.model @m
// KEPT: %[[G:.*]] = xfmr.weight "g"
// KEPT: %[[E:.*]] = xfmr.weight "eights"
// KEPT: xfmr.linear {{.*}}, %[[G]]
// KEPT: %[[F:.*]] = xfmr.weight_cast %[[E]]
// KEPT: %[[Q:.*]] = xfmr.weight_quantize %[[F]] by absmax : tensor<512x512xf32> -> tensor<512x512x!xfmr.q<int8, group = 32>>
// KEPT: xfmr.linear {{.*}}, %[[Q]]
// KEPT-NOT: weight_cast

// The two products that read the normed embedding share its codes; the embedding is a table of codes too, in panels of sixteen rows
// of 544 bytes.
// DISPATCH-DAG: xfmr.packed_weight @embed : memref<48x16x544xi8>
// DISPATCH-DAG: xfmr.packed_weight @a : memref<32x16x288xi8>
// DISPATCH-DAG: xfmr.packed_weight @b : memref<32x16x384xi8>
// DISPATCH-DAG: xfmr.packed_weight @g : memref<32x16x512xi8>
// DISPATCH: xfmr.phase prefill rows 64
// DISPATCH: xfmr.dispatch @embedding_q8
// DISPATCH: xfmr.phase all_logits rows 64
// DISPATCH: xfmr.dispatch @row_codes{{.*}} "codes of rows"
// DISPATCH-NOT: @row_codes
// DISPATCH: xfmr.dispatch @gemm_q4_wide_codes
// DISPATCH-NOT: @row_codes
// DISPATCH: xfmr.dispatch @gemm_q4_residual_codes
// DISPATCH: xfmr.dispatch @row_codes_halves
// DISPATCH: xfmr.dispatch @gemm_q6_fine_codes
// DISPATCH: xfmr.dispatch @row_codes
// DISPATCH: xfmr.dispatch @gemm_q8_codes
// DISPATCH: xfmr.phase decode rows 1
// DISPATCH: xfmr.dispatch @row_codes
// DISPATCH-NOT: @row_codes
// DISPATCH: xfmr.dispatch @gemv_q4_wide_codes
// Without codes of rows the same weights meet floats.
// FLOATS-NOT: {{@row_codes|_codes}}
// FLOATS: xfmr.dispatch @gemm_q4_wide
// FLOATS-NOT: {{@row_codes|_codes}}
// FLOATS: xfmr.dispatch @gemv_q4_wide
// Vulkan has the same panels, and multiplies the rows themselves.
// VULKAN-DAG: xfmr.packed_weight @embed : memref<48x16x544xi8>
// VULKAN-DAG: xfmr.packed_weight @a : memref<32x16x288xi8>
// VULKAN-DAG: xfmr.packed_weight @b : memref<32x16x384xi8>
// VULKAN-DAG: xfmr.packed_weight @g : memref<32x16x512xi8>
// VULKAN-NOT: @row_codes
// VULKAN: xfmr.phase prefill rows
// VULKAN: xfmr.dispatch @embedding_q8
// VULKAN: xfmr.phase all_logits rows
// VULKAN: xfmr.dispatch @gemm_q4_wide "
// VULKAN: xfmr.dispatch @gemm_q4_residual "
// VULKAN: xfmr.dispatch @gemm_q6_fine "
// VULKAN: xfmr.dispatch @gemm_q8 "
// VULKAN: xfmr.phase decode rows 1
// VULKAN: xfmr.dispatch @gemv_q4_wide
module {
  xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x768xf32>
      config <architecture = "llama", hidden_size = 512, vocab_size = 768, max_position = 64> sources {base = "tiny"} {
    %table = xfmr.weight "embed" : tensor<768x512x!xfmr.q<int8, group = 32>>
    %a = xfmr.weight "a" : tensor<512x512x!xfmr.q<int4, group = 128>>
    %b = xfmr.weight "b" : tensor<512x512x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>
    %g = xfmr.weight "g" : tensor<512x512x!xfmr.q<int6, group = 16, super = 256, sub = i8>>
    %e = xfmr.weight "eights" : tensor<512x512x!xfmr.q<int4, group = 8>>
    %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<768x512x!xfmr.q<int8, group = 32>>) -> tensor<?x512xf32>
    %norm = xfmr.weight "norm" : tensor<512xf32>
    %h = xfmr.rms_norm %x, %norm eps 1.0e-5 : tensor<?x512xf32>, tensor<512xf32>
    %p = xfmr.linear %h, %a : (tensor<?x512xf32>, tensor<512x512x!xfmr.q<int4, group = 128>>) -> tensor<?x512xf32>
    %q = xfmr.linear %h, %b : (tensor<?x512xf32>, tensor<512x512x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>) -> tensor<?x512xf32>
    %s = xfmr.add %p, %q : tensor<?x512xf32>
    %y = xfmr.linear %s, %g : (tensor<?x512xf32>, tensor<512x512x!xfmr.q<int6, group = 16, super = 256, sub = i8>>) -> tensor<?x512xf32>
    %z = xfmr.linear %y, %e : (tensor<?x512xf32>, tensor<512x512x!xfmr.q<int4, group = 8>>) -> tensor<?x512xf32>
    %logits = xfmr.linear %z, %table : (tensor<?x512xf32>, tensor<768x512x!xfmr.q<int8, group = 32>>) -> tensor<?x768xf32>
    xfmr.yield %logits : tensor<?x768xf32>
  }
}
