// Temporaries that are not alive together share bytes; a barrier stands only where a hazard needs one.
// RUN: xfmr-opt %s --xfmr-plan-buffers | FileCheck %s

// CHECK: xfmr.buffer @arena arena size 512
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 8, vocab_size = 8, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.elementwise<>
  xfmr.buffer @state state size 128
  xfmr.buffer @a arena size 256
  xfmr.phase decode rows 1 {
    %s = xfmr.buffer_ref @state : memref<32xi32>
    %a = xfmr.buffer_ref @a : memref<1x64xf32>
    // The first and the third live apart, the second overlaps both.
    // CHECK: xfmr.buffer_ref @arena : memref<1x64xf32>
    // CHECK: xfmr.buffer_ref @arena offset 256 : memref<1x64xf32>
    // CHECK: xfmr.buffer_ref @arena : memref<1x64xf32>
    %t0 = memref.alloc() : memref<1x64xf32>
    %t1 = memref.alloc() : memref<1x64xf32>
    %t2 = memref.alloc() : memref<1x64xf32>
    // CHECK-NOT: xfmr.barrier
    // CHECK: xfmr.dispatch @k "write t0"
    xfmr.dispatch @k "write t0" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %a read, %t0 write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32>
    // CHECK: xfmr.barrier
    // CHECK-NEXT: xfmr.dispatch @k "read t0"
    xfmr.dispatch @k "read t0" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %t0 read, %t1 write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32>
    // t2 lies where t0 was: its write waits for the read of t0, and for t1.
    // CHECK: xfmr.barrier
    // CHECK-NEXT: xfmr.dispatch @k "reuse"
    xfmr.dispatch @k "reuse" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %t1 read, %t2 write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32>
    // Only reads of what no one wrote since the last barrier.
    // CHECK-NOT: xfmr.barrier
    // CHECK: xfmr.dispatch @k "read only"
    xfmr.dispatch @k "read only" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, %t1 read, %a write) : memref<32xi32>, memref<1x64xf32>, memref<1x64xf32>
    xfmr.yield
  }
}
