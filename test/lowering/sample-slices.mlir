// Of a large vocabulary a draw takes ten dispatches, of which the last nine have no workgroups where the first was enough; at temperature
// 0 a phase of its own has the first alone. On the CPU, for a software driver, and of a small vocabulary, it is one kernel and one phase.
// RUN: sed -e s/VOCAB/8192/g %s | xfmr-opt --xfmr-split-phases="max-context=64 chunk=8" --xfmr-form-regions --xfmr-select-kernels --xfmr-plan-buffers | FileCheck %s
// RUN: sed -e s/VOCAB/8192/g %s | xfmr-opt --xfmr-split-phases="max-context=64 chunk=8 target=cpu" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=WHOLE
// RUN: sed -e s/VOCAB/8192/g %s | xfmr-opt --xfmr-split-phases="max-context=64 chunk=8 device-profile=navi31" --xfmr-form-regions --xfmr-select-kernels --xfmr-plan-buffers | FileCheck %s
// RUN: sed -e s/VOCAB/8192/g %s | xfmr-opt --xfmr-split-phases="max-context=64 chunk=8 device-profile=lavapipe" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=WHOLE
// RUN: sed -e s/VOCAB/5000/g %s | xfmr-opt --xfmr-split-phases="max-context=64 chunk=8" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=WHOLE

// 16 words and 320 of each of eight slices.
// CHECK: xfmr.buffer @sample_slices cache size 10304
// CHECK: xfmr.phase sample rows 1
// CHECK: xfmr.dispatch @sample_best
// CHECK-SAME: slice = 1024
// CHECK: xfmr.barrier
// CHECK-NEXT: xfmr.dispatch @sample_cut
// CHECK-SAME: slice = 1024
// CHECK-COUNT-7: xfmr.barrier
// CHECK: xfmr.dispatch @sample_cut
// CHECK-SAME: slice = 1024, round = 7
// CHECK: xfmr.barrier
// CHECK-NEXT: xfmr.dispatch @sample_pick
// CHECK: xfmr.phase sample_greedy rows 1
// CHECK: xfmr.dispatch @sample_best
// CHECK-NOT: xfmr.dispatch

// WHOLE-NOT: xfmr.buffer @sample_slices
// WHOLE: xfmr.phase sample rows 1
// WHOLE: xfmr.dispatch @sample{{(_0)?}} "sample"
// WHOLE-NOT: xfmr.dispatch
// WHOLE-NOT: xfmr.phase
xfmr.model @tiny (%tokens: tensor<?xi32>) -> tensor<?xVOCABxf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = VOCAB, max_position = 64>
    sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<VOCABx4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<VOCABx4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %a = xfmr.attention %h, %h, %h heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %n = xfmr.weight "norm" : tensor<4xf32>
  %z = xfmr.rms_norm %y, %n eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %z, %table : (tensor<?x4xf32>, tensor<VOCABx4xf32>) -> tensor<?xVOCABxf32>
  xfmr.yield %logits : tensor<?xVOCABxf32>
}
