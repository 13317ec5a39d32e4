// How rows of activations lie on the CPU, and which products read them as pairs of bf16.
// RUN: xfmr-opt %s --xfmr-split-phases="target=cpu" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s
// RUN: xfmr-opt %s --xfmr-split-phases="target=cpu levels=v3,v4" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=FLOATS
// RUN: xfmr-opt %s --xfmr-split-phases="target=vulkan" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=VULKAN

// Rows of 512 and 1024 floats lie a line further apart than a multiple of 2 KiB. The two products that read the norm share its pairs,
// rows of 256 words and fifteen of them behind the last; two tiles of outputs are not worth making any. One row is rounded by who
// reads it.
// CHECK: xfmr.phase all_logits rows 64
// CHECK: memref.alloc() : memref<64x528xf32>
// CHECK: xfmr.dispatch @rms_norm
// CHECK: memref.alloc() : memref<20224xi32>
// CHECK: xfmr.dispatch @row_pairs{{.*}} "pairs of rows"
// CHECK-NOT: @row_pairs
// CHECK: xfmr.dispatch @gemm_bf16_pairs_0 "linear"
// CHECK-SAME: #xfmr.gemm_params<n = 1024, k = 512, max_rows = 64, x = <stride = 528>, out = <stride = 1040>>
// CHECK-NOT: @row_pairs
// CHECK: xfmr.dispatch @gemm_bf16_pairs_0 "linear"
// CHECK: xfmr.dispatch @elementwise_mul
// CHECK-NOT: @row_pairs
// CHECK: xfmr.dispatch @gemm_bf16_0 "linear"
// CHECK-SAME: #xfmr.gemm_params<n = 128, k = 1024, max_rows = 64, x = <stride = 1040>
// CHECK: xfmr.phase decode rows 1
// CHECK-NOT: {{@row_pairs|_pairs}}
// CHECK: xfmr.dispatch @gemv_bf16

// No level of the target multiplies pairs.
// FLOATS-NOT: {{@row_pairs|_pairs}}
// FLOATS: xfmr.dispatch @gemm_bf16_0 "linear"
// FLOATS-SAME: x = <stride = 528>
// FLOATS-NOT: {{@row_pairs|_pairs}}

// VULKAN-NOT: {{528|1040|_pairs}}
// VULKAN: xfmr.dispatch @gemm_bf16 "linear"
// VULKAN-SAME: x = <stride = 512>, out = <stride = 1024>
// VULKAN-NOT: {{528|1040|_pairs}}
module {
  xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x128xf32>
      config <architecture = "llama", hidden_size = 512, vocab_size = 128, max_position = 64> sources {base = "tiny"} {
    %table = xfmr.weight "embed" : tensor<128x512xbf16>
    %a = xfmr.weight "a" : tensor<1024x512xbf16>
    %b = xfmr.weight "b" : tensor<1024x512xbf16>
    %c = xfmr.weight "c" : tensor<128x1024xbf16>
    %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<128x512xbf16>) -> tensor<?x512xf32>
    %norm = xfmr.weight "norm" : tensor<512xf32>
    %h = xfmr.rms_norm %x, %norm eps 1.0e-5 : tensor<?x512xf32>, tensor<512xf32>
    %p = xfmr.linear %h, %a : (tensor<?x512xf32>, tensor<1024x512xbf16>) -> tensor<?x1024xf32>
    %q = xfmr.linear %h, %b : (tensor<?x512xf32>, tensor<1024x512xbf16>) -> tensor<?x1024xf32>
    %r = xfmr.mul %p, %q : tensor<?x1024xf32>
    %logits = xfmr.linear %r, %c : (tensor<?x1024xf32>, tensor<128x1024xbf16>) -> tensor<?x128xf32>
    xfmr.yield %logits : tensor<?x128xf32>
  }
}
