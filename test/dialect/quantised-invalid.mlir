// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{unknown code 'int7'}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int7, group = 32>>

// -----
// expected-error @+1 {{expected a positive number or 'row'}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 0>>

// -----
// expected-error @+1 {{expected group, scale, min, super or sub, got 'size'}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, size = 0>>

// -----
// expected-error @+1 {{group must be row or 1 to 16777216 columns}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 16777217>>

// -----
// expected-error @+1 {{unknown type of scales of groups 'u9'}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, super = 64, sub = u9>>

// -----
// expected-error @+1 {{super and sub come together}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, super = 64>>

// -----
// expected-error @+1 {{super must be a multiple of group, at most 65536}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, super = 48, sub = i6>>

// -----
// expected-error @+1 {{sub is u4 or u6 with a minimum, i6 or i8 without}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, min, super = 64, sub = i6>>

// -----
// expected-error @+1 {{a minimum needs integer codes and a scale that is no e8m0}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<nf4, group = 32, min>>

// -----
// expected-error @+1 {{two levels need a scale that is no e8m0}}
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32, scale = e8m0, super = 64, sub = i6>>

// -----
// expected-error @+1 {{statically shaped weight tensor of f32, f16, bf16 or !xfmr.q}}
%a = xfmr.weight "a" : tensor<64x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32>>
// expected-error @+1 {{takes parts of runs of 32 columns that share scales; cast to f32 first}}
%s = xfmr.weight_slice %a axis 1 offset 16 size 32 : tensor<4x64x!xfmr.q<int4, group = 32>> -> tensor<4x32x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32>>
// expected-error @+1 {{takes parts of runs of 32 columns that share scales; cast to f32 first}}
%s = xfmr.weight_gather %a axis 1 [0, 2] : tensor<4x64x!xfmr.q<int4, group = 32>> -> tensor<4x2x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x48x!xfmr.q<int4, group = 32>>
// expected-error @+1 {{an input of 48 columns ends within a run of columns that share scales}}
%s = xfmr.weight_concat %a, %a axis 1 : (tensor<4x48x!xfmr.q<int4, group = 32>>, tensor<4x48x!xfmr.q<int4, group = 32>>) -> tensor<4x96x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<iq4_nl, group = 32>>
// expected-error @+1 {{parts of a group of 32 columns cannot become zero: no code of '!xfmr.q<iq4_nl, group = 32>' stands for it; cast to f32 first}}
%s = xfmr.weight_mask %a axis 1 keep [0, 2] : tensor<4x64x!xfmr.q<iq4_nl, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64xf32>
// expected-error @+1 {{does not round to 'tensor<4x64x!xfmr.q<int4, group = 32>>'; use xfmr.weight_quantize}}
%s = xfmr.weight_cast %a : tensor<4x64xf32> -> tensor<4x64x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64xf32>
// expected-error @+1 {{result must be quantised, got 'tensor<4x64xf16>'}}
%s = xfmr.weight_quantize %a by search : tensor<4x64xf32> -> tensor<4x64xf16>

// -----
%a = xfmr.weight "a" : tensor<4x64xf32>
// expected-error @+1 {{must keep the shape, got 'tensor<4x64xf32>' to 'tensor<4x32x!xfmr.q<int4, group = 32>>'}}
%s = xfmr.weight_quantize %a by search : tensor<4x64xf32> -> tensor<4x32x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32>>
// expected-error @+1 {{moves single columns of runs that share scales; cast to f32 first}}
%s = xfmr.weight_interleave %a axis 1 : tensor<4x64x!xfmr.q<int4, group = 32>>

// -----
%a = xfmr.weight "a" : tensor<4x64x!xfmr.q<int4, group = 32>>
// expected-error @+1 {{operand #0 must be statically shaped weight tensor of f32, f16 or bf16}}
%s = xfmr.weight_transpose %a : tensor<4x64x!xfmr.q<int4, group = 32>> -> tensor<64x4x!xfmr.q<int4, group = 32>>
