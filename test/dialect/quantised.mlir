// The type of quantised weights, and what moves codes.
// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s

// CHECK: tensor<4x64x!xfmr.q<int4, group = 32>>
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, scale = f16>>
// CHECK: tensor<4x64x!xfmr.q<int8, group = row, scale = f32>>
%b = xfmr.weight "b" : tensor<4x64x!xfmr.q<int8, group = row, scale = f32>>
// CHECK: tensor<2x4x256x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>
%c = xfmr.weight "c" : tensor<2x4x256x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>
// CHECK: tensor<4x32x!xfmr.q<e2m1, group = 32, scale = e8m0>>
%d = xfmr.weight "d" : tensor<4x32x!xfmr.q<e2m1, group = 32, scale = e8m0>>
// CHECK: xfmr.weight_quantize %{{.*}} by search : tensor<4x64xf32> -> tensor<4x64x!xfmr.q<int4, group = 32>>
%w = xfmr.weight "w" : tensor<4x64xf32>
%q = xfmr.weight_quantize %w by search : tensor<4x64xf32> -> tensor<4x64x!xfmr.q<int4, group = 32>>
