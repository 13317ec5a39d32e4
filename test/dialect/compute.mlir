// Round trip of the compute ops with every optional part.
// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --mlir-print-op-generic | xfmr-opt | FileCheck %s

// CHECK-LABEL: func.func @embedding
func.func @embedding(%tokens: tensor<?xi32>, %table: tensor<8x4xbf16>, %positions: tensor<16x4xf16>, %at: tensor<i32>) {
  // CHECK: xfmr.embedding %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<8x4xbf16>) -> tensor<?x4xf32>
  %0 = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xbf16>) -> tensor<?x4xf32>
  // CHECK: xfmr.embedding %{{.*}}, %{{.*}} positions %{{.*}} at %{{.*}} : (tensor<?xi32>, tensor<8x4xbf16>, tensor<16x4xf16>, tensor<i32>) -> tensor<?x4xf32>
  %1 = xfmr.embedding %tokens, %table positions %positions at %at
      : (tensor<?xi32>, tensor<8x4xbf16>, tensor<16x4xf16>, tensor<i32>) -> tensor<?x4xf32>
  return
}

// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<?x4xf32>, %row: tensor<1x4xf32>, %w: tensor<8x4xf16>, %b: tensor<8xf32>) {
  // CHECK: xfmr.linear %{{.*}}, %{{.*}} : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
  %0 = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
  // CHECK: xfmr.linear %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<1x4xf32>, tensor<8x4xf16>, tensor<8xf32>) -> tensor<1x8xf32>
  %1 = xfmr.linear %row, %w bias %b : (tensor<1x4xf32>, tensor<8x4xf16>, tensor<8xf32>) -> tensor<1x8xf32>
  return
}

// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %head: tensor<4xbf16>, %b: tensor<8xf32>) {
  // CHECK: xfmr.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x8xf32>, tensor<8xf32>
  %0 = xfmr.rms_norm %x, %w eps 1.0e-5 : tensor<?x8xf32>, tensor<8xf32>
  // CHECK: xfmr.rms_norm %{{.*}}, %{{.*}} eps 9.9{{.*}}E-7 unit_offset : tensor<?x8xf32>, tensor<4xbf16>
  %1 = xfmr.rms_norm %x, %head eps 1.0e-6 unit_offset : tensor<?x8xf32>, tensor<4xbf16>
  // CHECK: xfmr.layer_norm %{{.*}}, %{{.*}} eps 0.000000e+00 : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %2 = xfmr.layer_norm %x, %w eps 0.0 : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  // CHECK: xfmr.layer_norm %{{.*}}, %{{.*}} bias %{{.*}} eps 1.000000e-05
  %3 = xfmr.layer_norm %x, %w bias %b eps 1.0e-5 : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func.func @rope
func.func @rope(%x: tensor<?x8xf32>, %at: tensor<i32>) {
  // CHECK: xfmr.rope half %{{.*}} head_dim 4 theta 1.000000e+04 : tensor<?x8xf32>
  %0 = xfmr.rope half %x head_dim 4 theta 1.0e4 : tensor<?x8xf32>
  // CHECK: xfmr.rope interleaved %{{.*}} at %{{.*}} head_dim 8 rotary_dim 4 theta 5.000000e+05 : tensor<?x8xf32>
  %1 = xfmr.rope interleaved %x at %at head_dim 8 rotary_dim 4 theta 5.0e5 : tensor<?x8xf32>
  // CHECK: scaling = #xfmr.linear_rope<factor = 4.000000e+00>
  %2 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.linear_rope<factor = 4.0>} : tensor<?x8xf32>
  // CHECK: scaling = #xfmr.llama3_rope<factor = 8.000000e+00, low_freq_factor = 1.000000e+00, high_freq_factor = 4.000000e+00, original_max_position = 8192>
  %3 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.llama3_rope<factor = 8.0, low_freq_factor = 1.0, high_freq_factor = 4.0, original_max_position = 8192>} : tensor<?x8xf32>
  // CHECK: scaling = #xfmr.yarn_rope<factor = 4.000000e+01, beta_fast = 3.200000e+01, beta_slow = 1.000000e+00, original_max_position = 4096, attention_factor = 1.000000e+00, truncate = true>
  %4 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.yarn_rope<factor = 40.0, beta_fast = 32.0, beta_slow = 1.0, original_max_position = 4096, attention_factor = 1.0, truncate = true>} : tensor<?x8xf32>
  // CHECK: scaling = #xfmr.divisor_rope<divisors = [1.000000e+00, 2.500000e+00], attention_factor = 1.250000e+00>
  %5 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.divisor_rope<divisors = [1.0, 2.5], attention_factor = 1.25>} : tensor<?x8xf32>
  return
}

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %s: tensor<4xf32>, %b: tensor<8x4xf32>) {
  // CHECK: xfmr.attention %{{.*}}, %{{.*}}, %{{.*}} heads 4 kv_heads 2 head_dim 4 scale 5.000000e-01 : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  %0 = xfmr.attention %q, %k, %k heads 4 kv_heads 2 head_dim 4 scale 0.5
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  // CHECK: xfmr.attention %{{.*}}, %{{.*}}, %{{.*}} sinks %{{.*}} heads 4 kv_heads 2 head_dim 4 causal scale 5.000000e-01 softcap 5.000000e+01 window 128
  %1 = xfmr.attention %q, %k, %k sinks %s heads 4 kv_heads 2 head_dim 4 causal scale 0.5 softcap 50.0 window 128
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<4xf32>) -> tensor<?x16xf32>
  // CHECK: xfmr.attention %{{.*}}, %{{.*}}, %{{.*}} heads 4 kv_heads 2 head_dim 4 causal scale 5.000000e-01 chunk 16 alibi 8.000000e+00
  %2 = xfmr.attention %q, %k, %k heads 4 kv_heads 2 head_dim 4 causal scale 0.5 chunk 16 alibi 8.0
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  // CHECK: xfmr.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} max_distance 20 heads 4 kv_heads 2 head_dim 4 scale 1.000000e+00
  %3 = xfmr.attention %q, %k, %k bias %b max_distance 20 heads 4 kv_heads 2 head_dim 4 scale 1.0
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x16xf32>
  // CHECK: xfmr.attention %{{.*}}, %{{.*}}, %{{.*}} heads 4 kv_heads 2 head_dim 4 cross scale 1.000000e+00
  %4 = xfmr.attention %q, %k, %k heads 4 kv_heads 2 head_dim 4 cross scale 1.0
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<?x4xf32>, %s: tensor<?x1xf32>) {
  // CHECK: xfmr.activation relu
  %0 = xfmr.activation relu %x : tensor<?x4xf32>
  // CHECK: xfmr.activation gelu %
  %1 = xfmr.activation gelu %x : tensor<?x4xf32>
  // CHECK: xfmr.activation gelu_tanh
  %2 = xfmr.activation gelu_tanh %x : tensor<?x4xf32>
  // CHECK: xfmr.activation silu
  %3 = xfmr.activation silu %x : tensor<?x4xf32>
  // CHECK: xfmr.activation sigmoid
  %4 = xfmr.activation sigmoid %x : tensor<?x4xf32>
  // CHECK: xfmr.activation tanh
  %5 = xfmr.activation tanh %x : tensor<?x4xf32>
  // CHECK: xfmr.add %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %6 = xfmr.add %0, %1 : tensor<?x4xf32>
  // CHECK: xfmr.mul %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %7 = xfmr.mul %0, %1 : tensor<?x4xf32>
  // CHECK: xfmr.row_scale %{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<?x1xf32>
  %8 = xfmr.row_scale %x, %s : tensor<?x4xf32>, tensor<?x1xf32>
  // CHECK: xfmr.scale %{{.*}} by 2.000000e+00 : tensor<?x4xf32>
  %9 = xfmr.scale %x by 2.0 : tensor<?x4xf32>
  // CHECK: xfmr.softcap %{{.*}} cap 3.000000e+01 : tensor<?x4xf32>
  %10 = xfmr.softcap %x cap 30.0 : tensor<?x4xf32>
  // CHECK: xfmr.clamp %{{.*}} limit 8.000000e+00 : tensor<?x4xf32>
  %13 = xfmr.clamp %x limit 8.0 : tensor<?x4xf32>
  // CHECK: xfmr.position_scale %{{.*}} growth <floor = 8.192000e+03, scale = 1.000000e-01> : tensor<?x4xf32>
  %14 = xfmr.position_scale %x growth <floor = 8192.0, scale = 0.1> : tensor<?x4xf32>
  // CHECK: xfmr.position_scale %{{.*}} growth <floor = 1.638400e+04, scale = 1.000000e-01, shift = 0> : tensor<?x4xf32>
  %15 = xfmr.position_scale %x growth <floor = 16384.0, scale = 0.1, shift = 0> : tensor<?x4xf32>
  // CHECK: xfmr.split %{{.*}} : tensor<?x4xf32> -> tensor<?x1xf32>, tensor<?x3xf32>
  %11, %12 = xfmr.split %x : tensor<?x4xf32> -> tensor<?x1xf32>, tensor<?x3xf32>
  // CHECK: xfmr.probe "residual.3_a-b" %{{.*}} : tensor<?x4xf32>
  xfmr.probe "residual.3_a-b" %x : tensor<?x4xf32>
  // CHECK: xfmr.probe "residual.3.top" %{{.*}} top 4 magnitude : tensor<?x4xf32>
  xfmr.probe "residual.3.top" %x top 4 magnitude : tensor<?x4xf32>
  // CHECK: xfmr.probe "logits.top" %{{.*}} top 2 : tensor<?x4xf32>
  xfmr.probe "logits.top" %x top 2 : tensor<?x4xf32>
  return
}

// CHECK-LABEL: func.func @glu
func.func @glu(%x: tensor<?x4xf32>, %w: tensor<16x4xf16>, %b: tensor<16xf32>) {
  // CHECK: xfmr.glu gelu %{{.*}}, %{{.*}} layout concat : (tensor<?x4xf32>, tensor<16x4xf16>) -> tensor<?x8xf32>
  %0 = xfmr.glu gelu %x, %w layout concat : (tensor<?x4xf32>, tensor<16x4xf16>) -> tensor<?x8xf32>
  // CHECK: xfmr.glu silu %{{.*}}, %{{.*}} bias %{{.*}} layout interleaved alpha 1.702000e+00 limit 7.000000e+00
  %1 = xfmr.glu silu %x, %w bias %b layout interleaved alpha 1.702 limit 7.0
      : (tensor<?x4xf32>, tensor<16x4xf16>, tensor<16xf32>) -> tensor<?x8xf32>
  return
}
