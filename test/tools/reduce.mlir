// xfmr-reduce drops what the script does not need: of three functions the one with the softcap stays.
// RUN: xfmr-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-softcap.sh' | FileCheck %s

// CHECK-NOT: func.func @first
func.func @first(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = xfmr.scale %x by 2.0 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK: func.func @second
func.func @second(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: xfmr.softcap
  %y = xfmr.softcap %x cap 30.0 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK-NOT: func.func @third
func.func @third(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = xfmr.activation tanh %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
