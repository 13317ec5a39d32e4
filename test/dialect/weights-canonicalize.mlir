// Folds and canonicalisations of the weight expressions: each fires, and its near miss stays.
// RUN: xfmr-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @identities
func.func @identities(%a: tensor<8x4xf32>, %h: tensor<8x4xf16>)
    -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf16>) {
  %0 = xfmr.weight_concat %a axis 0 : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %1 = xfmr.weight_slice %a axis 1 offset 0 size 4 : tensor<8x4xf32> -> tensor<8x4xf32>
  %2 = xfmr.weight_gather %a axis 1 [0, 1, 2, 3] : tensor<8x4xf32> -> tensor<8x4xf32>
  %3 = xfmr.weight_mask %a axis 1 keep [0, 1, 2, 3] : tensor<8x4xf32>
  %t = xfmr.weight_transpose %a : tensor<8x4xf32> -> tensor<4x8xf32>
  %4 = xfmr.weight_transpose %t : tensor<4x8xf32> -> tensor<8x4xf32>
  %5 = xfmr.weight_scale %a by 1.0 : tensor<8x4xf32>
  %6 = xfmr.weight_cast %a : tensor<8x4xf32> -> tensor<8x4xf32>
  %w = xfmr.weight_cast %h : tensor<8x4xf16> -> tensor<8x4xf32>
  %7 = xfmr.weight_cast %w : tensor<8x4xf32> -> tensor<8x4xf16>
  // CHECK-NEXT: return %arg0, %arg0, %arg0, %arg0, %arg0, %arg0, %arg0, %arg1
  return %0, %1, %2, %3, %4, %5, %6, %7
      : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf16>
}

// -----

// Through f32 a cast is exact; through a 16-bit type it is not.
// CHECK-LABEL: func.func @cast_of_cast
func.func @cast_of_cast(%h: tensor<4xf16>, %f: tensor<4xf32>) -> (tensor<4xbf16>, tensor<4xf32>) {
  // CHECK: %[[A:.*]] = xfmr.weight_cast %arg0 : tensor<4xf16> -> tensor<4xbf16>
  %0 = xfmr.weight_cast %h : tensor<4xf16> -> tensor<4xf32>
  %1 = xfmr.weight_cast %0 : tensor<4xf32> -> tensor<4xbf16>
  // CHECK: %[[B:.*]] = xfmr.weight_cast %arg1 : tensor<4xf32> -> tensor<4xf16>
  // CHECK: %[[C:.*]] = xfmr.weight_cast %[[B]] : tensor<4xf16> -> tensor<4xf32>
  %2 = xfmr.weight_cast %f : tensor<4xf32> -> tensor<4xf16>
  %3 = xfmr.weight_cast %2 : tensor<4xf16> -> tensor<4xf32>
  // CHECK: return %[[A]], %[[C]]
  return %1, %3 : tensor<4xbf16>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @selection_of_selection
func.func @selection_of_selection(%a: tensor<9x4xf32>)
    -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<3x2xf32>, tensor<2x4xf32>) {
  // CHECK-DAG: %[[SS:.*]] = xfmr.weight_slice %arg0 axis 0 offset 3 size 2
  %0 = xfmr.weight_slice %a axis 0 offset 2 size 5 : tensor<9x4xf32> -> tensor<5x4xf32>
  %1 = xfmr.weight_slice %0 axis 0 offset 1 size 2 : tensor<5x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[GG:.*]] = xfmr.weight_gather %arg0 axis 0 [8, 6]
  %2 = xfmr.weight_gather %a axis 0 [6, 1, 8] : tensor<9x4xf32> -> tensor<3x4xf32>
  %3 = xfmr.weight_gather %2 axis 0 [2, 0] : tensor<3x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[GS:.*]] = xfmr.weight_gather %arg0 axis 0 [6, 2]
  %4 = xfmr.weight_gather %0 axis 0 [4, 0] : tensor<5x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[SG:.*]] = xfmr.weight_gather %arg0 axis 0 [1, 8]
  %5 = xfmr.weight_slice %2 axis 0 offset 1 size 2 : tensor<3x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[G:.*]] = xfmr.weight_gather %arg0 axis 0 [6, 1, 8]
  // CHECK-DAG: %[[OTHER:.*]] = xfmr.weight_slice %[[G]] axis 1 offset 0 size 2
  %6 = xfmr.weight_slice %2 axis 1 offset 0 size 2 : tensor<3x4xf32> -> tensor<3x2xf32>
  // CHECK-DAG: %[[SEQ:.*]] = xfmr.weight_slice %arg0 axis 0 offset 4 size 2
  %7 = xfmr.weight_gather %a axis 0 [4, 5] : tensor<9x4xf32> -> tensor<2x4xf32>
  // CHECK: return %[[SS]], %[[GG]], %[[GS]], %[[SG]], %[[OTHER]], %[[SEQ]]
  return %1, %3, %4, %5, %6, %7
      : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<3x2xf32>, tensor<2x4xf32>
}

// -----

// A packed gate and up, cut to the same kept rows of each; a slice within one input; one across two.
// CHECK-LABEL: func.func @selection_of_concat
func.func @selection_of_concat(%g: tensor<4x4xf32>, %u: tensor<4x4xf32>)
    -> (tensor<4x4xf32>, tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>, tensor<8x1xf32>) {
  %c = xfmr.weight_concat %g, %u axis 0 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  // CHECK-DAG: %[[KG:.*]] = xfmr.weight_gather %arg0 axis 0 [0, 2]
  // CHECK-DAG: %[[KU:.*]] = xfmr.weight_gather %arg1 axis 0 [0, 2]
  // CHECK-DAG: %[[K:.*]] = xfmr.weight_concat %[[KG]], %[[KU]] axis 0
  %0 = xfmr.weight_gather %c axis 0 [0, 2, 4, 6] : tensor<8x4xf32> -> tensor<4x4xf32>
  // CHECK-DAG: %[[IN:.*]] = xfmr.weight_slice %arg1 axis 0 offset 1 size 2
  %1 = xfmr.weight_slice %c axis 0 offset 5 size 2 : tensor<8x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[X0:.*]] = xfmr.weight_slice %arg0 axis 0 offset 3 size 1
  // CHECK-DAG: %[[X1:.*]] = xfmr.weight_slice %arg1 axis 0 offset 0 size 2
  // CHECK-DAG: %[[X:.*]] = xfmr.weight_concat %[[X0]], %[[X1]] axis 0
  %2 = xfmr.weight_slice %c axis 0 offset 3 size 3 : tensor<8x4xf32> -> tensor<3x4xf32>
  // Out of order it stays; along another axis too while the concat has other uses.
  // CHECK-DAG: %[[C:.*]] = xfmr.weight_concat %arg0, %arg1 axis 0
  // CHECK-DAG: %[[BACK:.*]] = xfmr.weight_gather %[[C]] axis 0 [6, 1]
  %3 = xfmr.weight_gather %c axis 0 [6, 1] : tensor<8x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[COL:.*]] = xfmr.weight_slice %[[C]] axis 1 offset 2 size 1
  %4 = xfmr.weight_slice %c axis 1 offset 2 size 1 : tensor<8x4xf32> -> tensor<8x1xf32>
  // CHECK: return %[[K]], %[[IN]], %[[X]], %[[BACK]], %[[COL]]
  return %0, %1, %2, %3, %4 : tensor<4x4xf32>, tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>, tensor<8x1xf32>
}

// -----

// CHECK-LABEL: func.func @selection_of_stack
func.func @selection_of_stack(%a: tensor<3x4xf32>, %b: tensor<3x4xf32>, %c: tensor<3x4xf32>)
    -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<3x4xf32>) {
  %s = xfmr.weight_stack %a, %b, %c : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x3x4xf32>
  // CHECK-DAG: %[[G:.*]] = xfmr.weight_stack %arg2, %arg0
  %0 = xfmr.weight_gather %s axis 0 [2, 0] : tensor<3x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK-DAG: %[[S:.*]] = xfmr.weight_stack %arg1, %arg2
  %1 = xfmr.weight_slice %s axis 0 offset 1 size 2 : tensor<3x3x4xf32> -> tensor<2x3x4xf32>
  %2 = xfmr.weight_select %0 [1] : tensor<2x3x4xf32> -> tensor<3x4xf32>
  // CHECK: return %[[G]], %[[S]], %arg0
  return %0, %1, %2 : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<3x4xf32>
}

// -----

// CHECK-LABEL: func.func @select_of_selection
func.func @select_of_selection(%s: tensor<5x3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  // CHECK-DAG: %[[A:.*]] = xfmr.weight_select %arg0[4]
  %0 = xfmr.weight_gather %s axis 0 [1, 4] : tensor<5x3x4xf32> -> tensor<2x3x4xf32>
  %1 = xfmr.weight_select %0 [1] : tensor<2x3x4xf32> -> tensor<3x4xf32>
  // CHECK-DAG: %[[B:.*]] = xfmr.weight_select %arg0[3]
  %2 = xfmr.weight_slice %s axis 0 offset 2 size 3 : tensor<5x3x4xf32> -> tensor<3x3x4xf32>
  %3 = xfmr.weight_select %2 [1] : tensor<3x3x4xf32> -> tensor<3x4xf32>
  // CHECK: return %[[A]], %[[B]]
  return %1, %3 : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// Selections move into expressions of one use.
// CHECK-LABEL: func.func @selection_of_expression
func.func @selection_of_expression(%w: tensor<8x4xf16>, %v: tensor<8x4xf16>, %b: tensor<8x2xf16>, %a: tensor<2x4xf16>)
    -> (tensor<4x2xf16>, tensor<3x4xf32>, tensor<2x4xf16>, tensor<8x2xf16>, tensor<2x4xf16>, tensor<8x2xf16>) {
  // CHECK-DAG: %[[W0:.*]] = xfmr.weight_gather %arg0 axis 0 [5, 1]
  // CHECK-DAG: %[[T:.*]] = xfmr.weight_transpose %[[W0]] : tensor<2x4xf16> -> tensor<4x2xf16>
  %t = xfmr.weight_transpose %w : tensor<8x4xf16> -> tensor<4x8xf16>
  %0 = xfmr.weight_gather %t axis 1 [5, 1] : tensor<4x8xf16> -> tensor<4x2xf16>
  // CHECK-DAG: %[[W1:.*]] = xfmr.weight_slice %arg0 axis 0 offset 2 size 3
  // CHECK-DAG: %[[SC:.*]] = xfmr.weight_scale %[[W1]] by 5.000000e-01
  // CHECK-DAG: %[[CA:.*]] = xfmr.weight_cast %[[SC]] : tensor<3x4xf16> -> tensor<3x4xf32>
  %s = xfmr.weight_scale %w by 0.5 : tensor<8x4xf16>
  %c = xfmr.weight_cast %s : tensor<8x4xf16> -> tensor<8x4xf32>
  %1 = xfmr.weight_slice %c axis 0 offset 2 size 3 : tensor<8x4xf32> -> tensor<3x4xf32>
  // CHECK-DAG: %[[W2:.*]] = xfmr.weight_slice %arg0 axis 0 offset 0 size 2
  // CHECK-DAG: %[[V2:.*]] = xfmr.weight_slice %arg1 axis 0 offset 0 size 2
  // CHECK-DAG: %[[SUM:.*]] = xfmr.weight_add %[[W2]], %[[V2]]
  %p = xfmr.weight_add %w, %v : tensor<8x4xf16>
  %2 = xfmr.weight_slice %p axis 0 offset 0 size 2 : tensor<8x4xf16> -> tensor<2x4xf16>
  // CHECK-DAG: %[[W3:.*]] = xfmr.weight_slice %arg0 axis 1 offset 1 size 2
  // CHECK-DAG: %[[A3:.*]] = xfmr.weight_slice %arg3 axis 1 offset 1 size 2
  // CHECK-DAG: %[[LOW:.*]] = xfmr.weight_add_lowrank %[[W3]], %arg2, %[[A3]] scale 2.000000e+00
  %l = xfmr.weight_add_lowrank %w, %b, %a scale 2.0 : (tensor<8x4xf16>, tensor<8x2xf16>, tensor<2x4xf16>) -> tensor<8x4xf16>
  %3 = xfmr.weight_slice %l axis 1 offset 1 size 2 : tensor<8x4xf16> -> tensor<8x2xf16>
  // CHECK-DAG: %[[B4:.*]] = xfmr.weight_gather %arg2 axis 0 [7, 0]
  // CHECK-DAG: %[[PR:.*]] = xfmr.weight_product %[[B4]], %arg3 : (tensor<2x2xf16>, tensor<2x4xf16>) -> tensor<2x4xf16>
  %q = xfmr.weight_product %b, %a : (tensor<8x2xf16>, tensor<2x4xf16>) -> tensor<8x4xf16>
  %4 = xfmr.weight_gather %q axis 0 [7, 0] : tensor<8x4xf16> -> tensor<2x4xf16>
  // CHECK-DAG: %[[A5:.*]] = xfmr.weight_gather %arg3 axis 1 [3, 0]
  // CHECK-DAG: %[[PC:.*]] = xfmr.weight_product %arg2, %[[A5]] : (tensor<8x2xf16>, tensor<2x2xf16>) -> tensor<8x2xf16>
  %r = xfmr.weight_product %b, %a : (tensor<8x2xf16>, tensor<2x4xf16>) -> tensor<8x4xf16>
  %5 = xfmr.weight_gather %r axis 1 [3, 0] : tensor<8x4xf16> -> tensor<8x2xf16>
  // CHECK: return %[[T]], %[[CA]], %[[SUM]], %[[LOW]], %[[PR]], %[[PC]]
  return %0, %1, %2, %3, %4, %5
      : tensor<4x2xf16>, tensor<3x4xf32>, tensor<2x4xf16>, tensor<8x2xf16>, tensor<2x4xf16>, tensor<8x2xf16>
}

// -----

// A tensor of a source stays whole: the selection is what takes from it.
// CHECK-LABEL: func.func @selection_of_tensor
func.func @selection_of_tensor() -> tensor<2x4xf32> {
  // CHECK: %[[W:.*]] = xfmr.weight "w" : tensor<8x4xf32>
  %w = xfmr.weight "w" : tensor<8x4xf32>
  // CHECK: %[[G:.*]] = xfmr.weight_gather %[[W]] axis 0 [5, 1] : tensor<8x4xf32> -> tensor<2x4xf32>
  %0 = xfmr.weight_gather %w axis 0 [5, 1] : tensor<8x4xf32> -> tensor<2x4xf32>
  // CHECK: return %[[G]]
  return %0 : tensor<2x4xf32>
}

// -----

// A transposed pack (GPT-2) taken apart and packed again is the pack.
// CHECK-LABEL: func.func @transpose_and_concat
func.func @transpose_and_concat(%p: tensor<4x6xf32>, %a: tensor<4x2xf32>, %b: tensor<4x3xf32>)
    -> (tensor<6x4xf32>, tensor<5x4xf32>, tensor<9x4xf32>) {
  // CHECK-DAG: %[[PT:.*]] = xfmr.weight_transpose %arg0 : tensor<4x6xf32> -> tensor<6x4xf32>
  %t = xfmr.weight_transpose %p : tensor<4x6xf32> -> tensor<6x4xf32>
  %q = xfmr.weight_slice %t axis 0 offset 0 size 2 : tensor<6x4xf32> -> tensor<2x4xf32>
  %k = xfmr.weight_slice %t axis 0 offset 2 size 2 : tensor<6x4xf32> -> tensor<2x4xf32>
  %v = xfmr.weight_slice %t axis 0 offset 4 size 2 : tensor<6x4xf32> -> tensor<2x4xf32>
  %0 = xfmr.weight_concat %q, %k, %v axis 0 : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<6x4xf32>
  // CHECK-DAG: %[[AT:.*]] = xfmr.weight_transpose %arg1
  // CHECK-DAG: %[[BT:.*]] = xfmr.weight_transpose %arg2
  // CHECK-DAG: %[[CT:.*]] = xfmr.weight_concat %[[AT]], %[[BT]] axis 0 : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>
  %c = xfmr.weight_concat %a, %b axis 1 : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<4x5xf32>
  %1 = xfmr.weight_transpose %c : tensor<4x5xf32> -> tensor<5x4xf32>
  // CHECK-DAG: %[[FLAT:.*]] = xfmr.weight_concat %[[AT]], %[[BT]], %[[V:.*]], %[[Q:.*]] axis 0
  // CHECK-DAG: %[[V]] = xfmr.weight_slice %[[PT]] axis 0 offset 4 size 2
  // CHECK-DAG: %[[Q]] = xfmr.weight_slice %[[PT]] axis 0 offset 0 size 2
  %d = xfmr.weight_concat %1, %v axis 0 : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<7x4xf32>
  %2 = xfmr.weight_concat %d, %q axis 0 : (tensor<7x4xf32>, tensor<2x4xf32>) -> tensor<9x4xf32>
  // CHECK: return %[[PT]], %[[CT]], %[[FLAT]]
  return %0, %1, %2 : tensor<6x4xf32>, tensor<5x4xf32>, tensor<9x4xf32>
}

// -----

// CHECK-LABEL: func.func @masks
func.func @masks(%a: tensor<8x4xf32>)
    -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  // CHECK-DAG: %[[BOTH:.*]] = xfmr.weight_mask %arg0 axis 0 keep [2, 7]
  %0 = xfmr.weight_mask %a axis 0 keep [0, 2, 3, 7] : tensor<8x4xf32>
  %1 = xfmr.weight_mask %0 axis 0 keep [1, 2, 7] : tensor<8x4xf32>
  // CHECK-DAG: %[[ROWS:.*]] = xfmr.weight_mask %arg0 axis 0 keep [0, 2, 3, 7]
  // CHECK-DAG: %[[COLS:.*]] = xfmr.weight_mask %[[ROWS]] axis 1 keep [0]
  %2 = xfmr.weight_mask %0 axis 1 keep [0] : tensor<8x4xf32>
  // CHECK-DAG: %[[KEPT:.*]] = xfmr.weight_gather %arg0 axis 0 [7, 0]
  %3 = xfmr.weight_gather %0 axis 0 [7, 0] : tensor<8x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[ZERO:.*]] = xfmr.weight_gather %[[ROWS]] axis 0 [7, 1]
  %4 = xfmr.weight_gather %0 axis 0 [7, 1] : tensor<8x4xf32> -> tensor<2x4xf32>
  // CHECK: return %[[BOTH]], %[[COLS]], %[[KEPT]], %[[ZERO]]
  return %1, %2, %3, %4 : tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// Activations: the folds of Compute.td.
// CHECK-LABEL: func.func @compute
func.func @compute(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[R:.*]] = xfmr.activation relu %arg0
  %0 = xfmr.activation relu %x : tensor<?x4xf32>
  %1 = xfmr.activation relu %0 : tensor<?x4xf32>
  // CHECK: %[[T:.*]] = xfmr.activation tanh %[[R]]
  // CHECK: %[[U:.*]] = xfmr.activation tanh %[[T]]
  %2 = xfmr.activation tanh %0 : tensor<?x4xf32>
  %3 = xfmr.activation tanh %2 : tensor<?x4xf32>
  %4 = xfmr.scale %x by 1.0 : tensor<?x4xf32>
  // CHECK: return %[[R]], %[[U]], %arg0
  return %1, %3, %4 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// Codes are not rounded again, rows and whole groups of columns are taken before rounding as well as after; single columns
// stay behind the cast.
// CHECK-LABEL: func.func @quantised
func.func @quantised(%w: tensor<4x64xf32>, %c: tensor<4x64x!xfmr.q<int4, group = 32>>)
    -> (tensor<4x64x!xfmr.q<int4, group = 32>>, tensor<2x32x!xfmr.q<int4, group = 32>>, tensor<4x2xf32>) {
  // CHECK: %[[F:.*]] = xfmr.weight_cast %arg1
  // CHECK: %[[ROWS:.*]] = xfmr.weight_slice %arg0 axis 0 offset 2 size 2
  // CHECK: %[[COLUMNS:.*]] = xfmr.weight_slice %[[ROWS]] axis 1 offset 32 size 32
  // CHECK: %[[Q:.*]] = xfmr.weight_quantize %[[COLUMNS]] by search : tensor<2x32xf32> -> tensor<2x32x!xfmr.q<int4, group = 32>>
  %f = xfmr.weight_cast %c : tensor<4x64x!xfmr.q<int4, group = 32>> -> tensor<4x64xf32>
  %0 = xfmr.weight_quantize %f by absmax : tensor<4x64xf32> -> tensor<4x64x!xfmr.q<int4, group = 32>>
  %q = xfmr.weight_quantize %w by search : tensor<4x64xf32> -> tensor<4x64x!xfmr.q<int4, group = 32>>
  %r = xfmr.weight_slice %q axis 0 offset 2 size 2 : tensor<4x64x!xfmr.q<int4, group = 32>> -> tensor<2x64x!xfmr.q<int4, group = 32>>
  %1 = xfmr.weight_slice %r axis 1 offset 32 size 32 : tensor<2x64x!xfmr.q<int4, group = 32>> -> tensor<2x32x!xfmr.q<int4, group = 32>>
  // CHECK: %[[G:.*]] = xfmr.weight_gather %[[F]] axis 1 [0, 40] : tensor<4x64xf32> -> tensor<4x2xf32>
  %2 = xfmr.weight_gather %f axis 1 [0, 40] : tensor<4x64xf32> -> tensor<4x2xf32>
  // CHECK: return %arg1, %[[Q]], %[[G]]
  return %0, %1, %2 : tensor<4x64x!xfmr.q<int4, group = 32>>, tensor<2x32x!xfmr.q<int4, group = 32>>, tensor<4x2xf32>
}
