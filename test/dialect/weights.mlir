// Round trip of the weight expressions.
// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --mlir-print-op-generic | xfmr-opt | FileCheck %s

// CHECK: %[[A:.*]] = xfmr.weight "a" : tensor<8x4xf32>
%a = xfmr.weight "a" : tensor<8x4xf32>
// CHECK: %[[B:.*]] = xfmr.weight "b" from "adapter" : tensor<8x4xf32>
%b = xfmr.weight "b" from "adapter" : tensor<8x4xf32>
// CHECK: %[[V:.*]] = xfmr.weight "v" : tensor<6xbf16>
%v = xfmr.weight "v" : tensor<6xbf16>
// CHECK: xfmr.weight_concat %[[A]], %[[B]], %[[A]] axis 1 : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x12xf32>
%0 = xfmr.weight_concat %a, %b, %a axis 1 : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x12xf32>
// CHECK: xfmr.weight_slice %[[V]] axis 0 offset 2 size 3 : tensor<6xbf16> -> tensor<3xbf16>
%1 = xfmr.weight_slice %v axis 0 offset 2 size 3 : tensor<6xbf16> -> tensor<3xbf16>
// CHECK: xfmr.weight_gather %[[A]] axis 0 [0, 5, 2] : tensor<8x4xf32> -> tensor<3x4xf32>
%2 = xfmr.weight_gather %a axis 0 [0, 5, 2] : tensor<8x4xf32> -> tensor<3x4xf32>
// CHECK: xfmr.weight_mask %[[A]] axis 1 keep [] : tensor<8x4xf32>
%3 = xfmr.weight_mask %a axis 1 keep [] : tensor<8x4xf32>
// CHECK: xfmr.weight_transpose %[[A]] : tensor<8x4xf32> -> tensor<4x8xf32>
%4 = xfmr.weight_transpose %a : tensor<8x4xf32> -> tensor<4x8xf32>
// CHECK: %[[S:.*]] = xfmr.weight_stack %[[A]], %[[B]] : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<2x8x4xf32>
%5 = xfmr.weight_stack %a, %b : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<2x8x4xf32>
// CHECK: xfmr.weight_select %[[S]][1] : tensor<2x8x4xf32> -> tensor<8x4xf32>
%6 = xfmr.weight_select %5 [1] : tensor<2x8x4xf32> -> tensor<8x4xf32>
// CHECK: xfmr.weight_add_lowrank %[[A]], %{{.*}}, %{{.*}} scale 2.000000e+00 : (tensor<8x4xf32>, tensor<8x3xf16>, tensor<3x4xf32>) -> tensor<8x4xf32>
%r = xfmr.weight "r" : tensor<8x3xf16>
%7 = xfmr.weight_add_lowrank %a, %r, %2 scale 2.0 : (tensor<8x4xf32>, tensor<8x3xf16>, tensor<3x4xf32>) -> tensor<8x4xf32>
// CHECK: xfmr.weight_product %[[A]], %{{.*}} : (tensor<8x4xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
%8 = xfmr.weight_product %a, %4 : (tensor<8x4xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
// CHECK: xfmr.weight_add %[[A]], %[[B]] : tensor<8x4xf32>
%9 = xfmr.weight_add %a, %b : tensor<8x4xf32>
// CHECK: xfmr.weight_scale %[[A]] by 5.000000e-01 : tensor<8x4xf32>
%10 = xfmr.weight_scale %a by 0.5 : tensor<8x4xf32>
// CHECK: xfmr.weight_cast %[[V]] : tensor<6xbf16> -> tensor<6xf16>
%11 = xfmr.weight_cast %v : tensor<6xbf16> -> tensor<6xf16>
// CHECK: xfmr.weight_interleave %[[A]] axis 0 : tensor<8x4xf32>
%12 = xfmr.weight_interleave %a axis 0 : tensor<8x4xf32>
