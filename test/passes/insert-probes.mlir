// Values as outputs, and what they are summed with. Near misses are remarks.
// RUN: xfmr-opt %s --xfmr-insert-probes="out=%t.ones.safetensors" | FileCheck %s
// RUN: xfmr-opt %s --xfmr-insert-probes="what=residual,attention,ffn,logits reduce=whole" | FileCheck %s --check-prefix=WHOLE
// RUN: xfmr-opt %s --xfmr-insert-probes="what=attention heads=1 reduce=whole" | FileCheck %s --check-prefix=HEAD
// RUN: xfmr-opt %s --xfmr-insert-probes="what=attention heads=1 reduce=sum out=%t.ones.safetensors" | FileCheck %s --check-prefix=SUM
// RUN: xfmr-opt %s --xfmr-insert-probes="what=residual layers=1 reduce=whole" | FileCheck %s --check-prefix=LAYER
// RUN: xfmr-opt %s --verify-diagnostics --xfmr-insert-probes="what=router,ffn reduce=whole" -o /dev/null
// RUN: xfmr-opt %s --xfmr-insert-probes="what=router,ffn reduce=whole" | FileCheck %s --check-prefix=REMARK
// RUN: not xfmr-opt %s --xfmr-insert-probes="what=attention,keys" 2>&1 | FileCheck %s --check-prefix=WHAT
// RUN: not xfmr-opt %s --xfmr-insert-probes="reduce=most" 2>&1 | FileCheck %s --check-prefix=REDUCE
// RUN: not xfmr-opt %s --xfmr-insert-probes="heads=2" 2>&1 | FileCheck %s --check-prefix=HEADS
// RUN: not xfmr-opt %s --xfmr-insert-probes="layers=7" 2>&1 | FileCheck %s --check-prefix=LAYERS
// WHAT: error: what names 'keys', expected residual, attention, ffn, router or logits
// RUN: xfmr-opt %s --xfmr-insert-probes="what=residual,logits layers=1 reduce=top top=3" | FileCheck %s --check-prefix=TOP
// RUN: xfmr-opt %s --xfmr-insert-probes="what=attention,logits heads=1" | FileCheck %s --check-prefix=BOTH
// RUN: xfmr-opt %s --xfmr-insert-probes="what=attention heads=1 reduce=top" | FileCheck %s --check-prefix=PART
// RUN: not xfmr-opt %s --xfmr-insert-probes="top=257" 2>&1 | FileCheck %s --check-prefix=MANY
// MANY: error: top is 257, expected 1 to 256
// TOP: xfmr.probe "embedding.top" %{{.*}} top 3 magnitude : tensor<?x4xf32>
// TOP: xfmr.probe "residual.1.top" %{{.*}} top 3 magnitude : tensor<?x4xf32>
// TOP: xfmr.probe "logits.top" %{{.*}} top 3 : tensor<?x8xf32>
// BOTH: xfmr.probe "attention.0.squares" %{{.*}} : tensor<?x1xf32>
// BOTH: xfmr.probe "logits.top" %{{.*}} top 8 : tensor<?x8xf32>
// PART: %{{.*}}, %[[P:.*]] = xfmr.split
// PART-NEXT: xfmr.probe "attention.0.head.1.top" %[[P]] top 2 magnitude : tensor<?x2xf32>
// REDUCE: error: reduce is 'most', expected auto, squares, sum, top or whole
// HEADS: error: heads names head 2 of layer 0, which has 0 to 1
// LAYERS: error: there is no layer 7
// REMARK: xfmr.probe "ffn.0"
// REMARK: xfmr.linear %{{.*}}, %router
// REMARK-NEXT: xfmr.probe "router.1" %{{.*}} : tensor<?x2xf32>

// CHECK-LABEL: xfmr.model @m
// CHECK: sources {base = ".", probe = "{{.*}}ones.safetensors"}
// CHECK: xfmr.probe "embedding.squares" %{{.*}} : tensor<?x1xf32>
// CHECK: xfmr.block 0
// CHECK: %[[A:.*]] = xfmr.attention
// CHECK: xfmr.add
// CHECK: %[[Y:.*]] = xfmr.add
// CHECK: %[[Q:.*]] = xfmr.mul %[[A]], %[[A]] : tensor<?x4xf32>
// CHECK: %[[ONES:.*]] = xfmr.weight "ones.0.1.of.2x4" from "probe" : tensor<2x4xf32>
// CHECK: %[[S:.*]] = xfmr.linear %[[Q]], %[[ONES]]
// CHECK: xfmr.probe "attention.0.squares" %[[S]] : tensor<?x2xf32>
// CHECK: xfmr.probe "ffn.0.squares"
// CHECK: %[[R:.*]] = xfmr.mul %[[Y]], %[[Y]] : tensor<?x4xf32>
// CHECK: xfmr.probe "residual.0.squares" %{{.*}} : tensor<?x1xf32>
// CHECK-NEXT: xfmr.yield %[[Y]]
// CHECK: xfmr.block 1
// CHECK: xfmr.probe "router.1" %{{.*}} : tensor<?x2xf32>
// CHECK: xfmr.probe "residual.1.squares"
// CHECK-NOT: xfmr.probe

// WHOLE: xfmr.probe "embedding" %{{.*}} : tensor<?x4xf32>
// WHOLE: xfmr.block 0
// WHOLE: %[[A:.*]] = xfmr.attention
// WHOLE: %[[H:.*]] = xfmr.activation relu
// WHOLE: xfmr.probe "attention.0" %[[A]] : tensor<?x4xf32>
// WHOLE-NEXT: xfmr.probe "ffn.0" %[[H]] : tensor<?x6xf32>
// WHOLE-NEXT: xfmr.probe "residual.0" %{{.*}} : tensor<?x4xf32>
// WHOLE-NEXT: xfmr.yield
// WHOLE: xfmr.probe "residual.1"
// WHOLE: xfmr.probe "logits" %{{.*}} : tensor<?x8xf32>
// WHOLE-NEXT: xfmr.yield

// HEAD-NOT: xfmr.probe
// HEAD: %{{.*}}, %[[P:.*]] = xfmr.split %{{.*}} : tensor<?x4xf32> -> tensor<?x2xf32>, tensor<?x2xf32>
// HEAD-NEXT: xfmr.probe "attention.0.head.1" %[[P]] : tensor<?x2xf32>
// HEAD-NOT: xfmr.probe

// SUM: xfmr.weight "ones.1.of.2x4" from "probe" : tensor<1x4xf32>
// SUM: xfmr.probe "attention.0.sum" %{{.*}} : tensor<?x1xf32>

// LAYER-NOT: "residual.0"
// LAYER: xfmr.probe "residual.1"
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-remark @+1 {{layer 0: there is no router to probe}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %q = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %o = xfmr.linear %a, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %s = xfmr.add %h, %o : tensor<?x4xf32>
    %up = xfmr.weight "up" : tensor<6x4xf32>
    %down_w = xfmr.weight "down" : tensor<4x6xf32>
    %p = xfmr.linear %s, %up : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %r = xfmr.activation relu %p : tensor<?x6xf32>
    %d = xfmr.linear %r, %down_w : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %e = xfmr.add %s, %d : tensor<?x4xf32>
    xfmr.yield %e : tensor<?x4xf32>
  }
  // expected-remark @+1 {{layer 1: channels are not probed: they are those of experts}}
  %z = xfmr.block 1 (%y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %router = xfmr.weight "router" : tensor<2x4xf32>
    %up = xfmr.weight "ups" : tensor<2x6x4xf32>
    %down = xfmr.weight "downs" : tensor<2x4x6xf32>
    %m = xfmr.moe %h router %router experts(%up, %down) routing <top_k = 1, score = softmax>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x6x4xf32>, tensor<2x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %v: tensor<4x6xf32>):
      %p = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %r = xfmr.activation relu %p : tensor<?x6xf32>
      %d = xfmr.linear %r, %v : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %d : tensor<?x4xf32>
    }
    %e = xfmr.add %h, %m : tensor<?x4xf32>
    xfmr.yield %e : tensor<?x4xf32>
  }
  %logits = xfmr.linear %z, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
