// Values that go round, as a module allows and a verifier has not refused yet, have names too.
// RUN: xfmr-opt %s | FileCheck %s
// CHECK: xfmr.weight_add
// CHECK: xfmr.add
// CHECK: xfmr.scale
module {
  %0 = xfmr.weight_add %1, %0 : tensor<2x2xf32>
  %1 = xfmr.weight_add %0, %1 : tensor<2x2xf32>
  %2 = xfmr.add %3, %3 : tensor<?x4xf32>
  %3 = xfmr.add %2, %2 : tensor<?x4xf32>
  %4 = xfmr.scale %5 by 2.0 : tensor<?x4xf32>
  %5 = xfmr.scale %4 by 2.0 : tensor<?x4xf32>
}
