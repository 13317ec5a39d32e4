// One case a numbered constraint of Weights.td.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

// weight C1
// expected-error @+1 {{needs the name of a tensor}}
%w = xfmr.weight "" : tensor<4x4xf32>
// -----
// weight: element types
// expected-error @+1 {{result #0 must be statically shaped weight tensor of f32, f16, bf16 or !xfmr.q, but got 'tensor<4x4xi8>'}}
%w = xfmr.weight "w" : tensor<4x4xi8>
// -----
// weight_concat C1
// expected-error @+1 {{needs at least one input}}
%c = "xfmr.weight_concat"() <{axis = 0 : i64}> : () -> tensor<4x4xf32>
// -----
// weight_concat C1: element types
func.func @f(%a: tensor<2x4xf32>, %b: tensor<2x4xf16>) {
  // expected-error @+1 {{inputs must have one rank and element type, got 'tensor<2x4xf32>' and 'tensor<2x4xf16>'}}
  %c = xfmr.weight_concat %a, %b axis 0 : (tensor<2x4xf32>, tensor<2x4xf16>) -> tensor<4x4xf32>
  return
}
// -----
// weight_concat C2
func.func @f(%a: tensor<2x4xf32>) {
  // expected-error @+1 {{axis 2 is outside the 2 axes of 'tensor<2x4xf32>'}}
  %c = xfmr.weight_concat %a, %a axis 2 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}
// -----
// weight_concat C3
func.func @f(%a: tensor<2x4xf32>, %b: tensor<2x5xf32>) {
  // expected-error @+1 {{inputs must agree outside axis 0, got 'tensor<2x4xf32>' and 'tensor<2x5xf32>'}}
  %c = xfmr.weight_concat %a, %b axis 0 : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<4x4xf32>
  return
}
// -----
// weight_concat C3: result
func.func @f(%a: tensor<2x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<4x4xf32>', got 'tensor<5x4xf32>'}}
  %c = xfmr.weight_concat %a, %a axis 0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<5x4xf32>
  return
}
// -----
// weight_slice C1
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{axis -1 is outside the 2 axes of 'tensor<8x4xf32>'}}
  %c = xfmr.weight_slice %a axis -1 offset 0 size 3 : tensor<8x4xf32> -> tensor<3x4xf32>
  return
}
// -----
// weight_slice C2
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{range [6, 9) is outside the extent 8 of axis 0}}
  %c = xfmr.weight_slice %a axis 0 offset 6 size 3 : tensor<8x4xf32> -> tensor<3x4xf32>
  return
}
// -----
// weight_slice C3
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<3x4xf32>', got 'tensor<2x4xf32>'}}
  %c = xfmr.weight_slice %a axis 0 offset 2 size 3 : tensor<8x4xf32> -> tensor<2x4xf32>
  return
}
// -----
// weight_gather C1
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{axis 3 is outside the 2 axes of 'tensor<8x4xf32>'}}
  %c = xfmr.weight_gather %a axis 3 [0] : tensor<8x4xf32> -> tensor<1x4xf32>
  return
}
// -----
// weight_gather C2
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{index 8 is outside the extent 8 of axis 0}}
  %c = xfmr.weight_gather %a axis 0 [0, 8] : tensor<8x4xf32> -> tensor<2x4xf32>
  return
}
// -----
// weight_gather C2: none
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{needs at least one index}}
  %c = xfmr.weight_gather %a axis 0 [] : tensor<8x4xf32> -> tensor<1x4xf32>
  return
}
// -----
// weight_gather C3
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<2x4xf32>', got 'tensor<2x4xf16>'}}
  %c = xfmr.weight_gather %a axis 0 [0, 5] : tensor<8x4xf32> -> tensor<2x4xf16>
  return
}
// -----
// weight_mask C1
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{axis 2 is outside the 2 axes of 'tensor<8x4xf32>'}}
  %c = xfmr.weight_mask %a axis 2 keep [0] : tensor<8x4xf32>
  return
}
// -----
// weight_mask C2
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{kept indices must ascend within the extent 8 of axis 0, got 1 after 2}}
  %c = xfmr.weight_mask %a axis 0 keep [0, 2, 1] : tensor<8x4xf32>
  return
}
// -----
// weight_transpose C1
func.func @f(%a: tensor<8xf32>) {
  // expected-error @+1 {{input must have rank 2 or 3, got 'tensor<8xf32>'}}
  %c = xfmr.weight_transpose %a : tensor<8xf32> -> tensor<8xf32>
  return
}
// -----
// weight_transpose C2
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<4x8xf32>', got 'tensor<8x4xf32>'}}
  %c = xfmr.weight_transpose %a : tensor<8x4xf32> -> tensor<8x4xf32>
  return
}
// -----
// weight_stack C1
// expected-error @+1 {{needs at least one input}}
%c = "xfmr.weight_stack"() : () -> tensor<1x4xf32>
// -----
// weight_stack C1: types
func.func @f(%a: tensor<8x4xf32>, %b: tensor<4x8xf32>) {
  // expected-error @+1 {{inputs must have one type, got 'tensor<8x4xf32>' and 'tensor<4x8xf32>'}}
  %c = xfmr.weight_stack %a, %b : (tensor<8x4xf32>, tensor<4x8xf32>) -> tensor<2x8x4xf32>
  return
}
// -----
// weight_stack C2
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<2x8x4xf32>', got 'tensor<3x8x4xf32>'}}
  %c = xfmr.weight_stack %a, %a : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<3x8x4xf32>
  return
}
// -----
// weight_select C1
func.func @f(%a: tensor<2x8x4xf32>) {
  // expected-error @+1 {{index 2 does not select from the first axis of 'tensor<2x8x4xf32>'}}
  %c = xfmr.weight_select %a [2] : tensor<2x8x4xf32> -> tensor<8x4xf32>
  return
}
// -----
// weight_select C2
func.func @f(%a: tensor<2x8x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<8x4xf32>', got 'tensor<4x8xf32>'}}
  %c = xfmr.weight_select %a [1] : tensor<2x8x4xf32> -> tensor<4x8xf32>
  return
}
// -----
// weight_add_lowrank C1
func.func @f(%w: tensor<8x4xf32>, %b: tensor<8x2xf32>, %a: tensor<3x4xf32>) {
  // expected-error @+1 {{expects W [O, I], B [O, r], A [r, I], got W 'tensor<8x4xf32>', B 'tensor<8x2xf32>', A 'tensor<3x4xf32>'}}
  %c = xfmr.weight_add_lowrank %w, %b, %a scale 1.0 : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<3x4xf32>) -> tensor<8x4xf32>
  return
}
// -----
// weight_product C1
func.func @f(%l: tensor<8x3xf32>, %r: tensor<2x4xf32>) {
  // expected-error @+1 {{cannot multiply 'tensor<8x3xf32>' by 'tensor<2x4xf32>'}}
  %c = xfmr.weight_product %l, %r : (tensor<8x3xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
  return
}
// -----
// weight_product C1: result
func.func @f(%l: tensor<8x2xf32>, %r: tensor<2x4xf32>) {
  // expected-error @+1 {{result must be 'tensor<8x4xf32>', got 'tensor<4x8xf32>'}}
  %c = xfmr.weight_product %l, %r : (tensor<8x2xf32>, tensor<2x4xf32>) -> tensor<4x8xf32>
  return
}
// -----
// weight_cast C1
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{must keep the shape, got 'tensor<8x4xf32>' to 'tensor<4x8xf16>'}}
  %c = xfmr.weight_cast %a : tensor<8x4xf32> -> tensor<4x8xf16>
  return
}
// -----
// weight_interleave C1
func.func @f(%a: tensor<8x4xf32>) {
  // expected-error @+1 {{axis 2 is outside the 2 axes of 'tensor<8x4xf32>'}}
  %c = xfmr.weight_interleave %a axis 2 : tensor<8x4xf32>
  return
}
// -----
// weight_interleave C2
func.func @f(%a: tensor<7x4xf32>) {
  // expected-error @+1 {{extent 7 of axis 0 must be even}}
  %c = xfmr.weight_interleave %a axis 0 : tensor<7x4xf32>
  return
}
