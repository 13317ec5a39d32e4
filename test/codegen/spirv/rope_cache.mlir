// Rotated q stays in place, k and v go to the caches as halves.
// RUN: xfmr-opt %s --pass-pipeline="builtin.module(xfmr.program(xfmr.executable(xfmr-generate-kernels,xfmr-lower-executables)))" | FileCheck %s

xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.rope_cache<cache = f16>
}

// CHECK-LABEL: xfmr.variant "portable" workgroup [64, 1, 1]
// CHECK: spirv.ControlBarrier
// CHECK: spirv.GL.PackHalf2x16
