// Parts of a temporary lie where it lies, and live as long as any of them is used.
// RUN: xfmr-opt %s --xfmr-plan-buffers | FileCheck %s

// CHECK: xfmr.buffer @arena arena size 768
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 8, vocab_size = 8, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.elementwise<>
  xfmr.buffer @state state size 128
  xfmr.buffer @a arena size 256
  xfmr.phase decode rows 1 {
    %s = xfmr.buffer_ref @state : memref<32xi32>
    %a = xfmr.buffer_ref @a : memref<1x64xf32>
    // The whole lives at the same time as the first, so not in its place.
    // CHECK: %[[FIRST:.*]] = xfmr.buffer_ref @arena offset 512 : memref<1x64xf32>
    // CHECK-NEXT: %[[WHOLE:.*]] = xfmr.buffer_ref @arena : memref<1x128xf32>
    // CHECK-NEXT: %[[LOW:.*]] = xfmr.buffer_ref @arena : memref<1x64xf32>
    // CHECK-NEXT: %[[HIGH:.*]] = xfmr.buffer_ref @arena offset 256 : memref<1x64xf32>
    %first = memref.alloc() : memref<1x64xf32>
    %t = memref.alloc() : memref<1x128xf32>
    %low = memref.subview %t[0, 0] [1, 64] [1, 1] : memref<1x128xf32> to memref<1x64xf32, strided<[128, 1]>>
    %high = memref.subview %t[0, 64] [1, 64] [1, 1] : memref<1x128xf32> to memref<1x64xf32, strided<[128, 1], offset: 64>>
    // Two parts do not wait for each other; who reads the whole waits for both.
    // CHECK-NEXT: xfmr.dispatch @k "low" {{.*}}, %[[LOW]] write)
    // CHECK-NEXT: xfmr.dispatch @k "high" {{.*}}, %[[HIGH]] write)
    // CHECK-NEXT: xfmr.barrier
    // CHECK-NEXT: xfmr.dispatch @k "whole" {{.*}} (%{{.*}} read, %[[WHOLE]] read, %[[FIRST]] write)
    xfmr.dispatch @k "low" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %a read, %low write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32, strided<[128, 1]>>
    xfmr.dispatch @k "high" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %a read, %high write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32, strided<[128, 1], offset: 64>>
    xfmr.dispatch @k "whole" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %t read, %first write) : memref<32xi32>, memref<1x128xf32>, memref<1x64xf32>
    xfmr.yield
  }
}
