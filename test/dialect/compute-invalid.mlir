// One case a numbered constraint of Compute.td.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

// embedding C1
func.func @f(%t: tensor<?xi32>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be [tokens, 4], got 'tensor<?x5xf32>'}}
  %0 = xfmr.embedding %t, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x5xf32>
  return
}
// -----
// embedding C1: tokens
func.func @f(%t: tensor<?xi32>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{result must be [tokens, 4], got 'tensor<2x4xf32>'}}
  %0 = xfmr.embedding %t, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  return
}
// -----
// embedding C2
func.func @f(%t: tensor<?xi32>, %w: tensor<8x4xf32>, %p: tensor<16x3xf32>) {
  // expected-error @+1 {{positions must have 4 columns, got 'tensor<16x3xf32>'}}
  %0 = xfmr.embedding %t, %w positions %p : (tensor<?xi32>, tensor<8x4xf32>, tensor<16x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
// embedding: operand types
func.func @f(%t: tensor<?xi64>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{operand #0 must be 1-D tensor of i32 token ids, but got 'tensor<?xi64>'}}
  %0 = xfmr.embedding %t, %w : (tensor<?xi64>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
// linear C1
func.func @f(%x: tensor<?x4xf32>, %w: tensor<8x5xf32>) {
  // expected-error @+1 {{weight must have 4 columns, as the input has, got 'tensor<8x5xf32>'}}
  %0 = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<8x5xf32>) -> tensor<?x8xf32>
  return
}
// -----
// linear C2
func.func @f(%x: tensor<?x4xf32>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{result must have 8 columns, as the weight has rows, got 'tensor<?x7xf32>'}}
  %0 = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x7xf32>
  return
}
// -----
// linear C2: tokens
func.func @f(%x: tensor<3x4xf32>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{operands and result must have the same tokens, got 'tensor<3x4xf32>' and 'tensor<2x8xf32>'}}
  %0 = xfmr.linear %x, %w : (tensor<3x4xf32>, tensor<8x4xf32>) -> tensor<2x8xf32>
  return
}
// -----
// linear C3
func.func @f(%x: tensor<?x4xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{bias must have 8 entries, got 'tensor<4xf32>'}}
  %0 = xfmr.linear %x, %w bias %b : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<4xf32>) -> tensor<?x8xf32>
  return
}
// -----
// linear: a weight has a static shape
func.func @f(%x: tensor<?x4xf32>, %w: tensor<?x4xf32>) {
  // expected-error @+1 {{operand #1 must be 2-D weight tensor of f32, f16, bf16 or !xfmr.q, but got 'tensor<?x4xf32>'}}
  %0 = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return
}
// -----
// rms_norm C1
func.func @f(%x: tensor<?x4xf32>, %w: tensor<3xf32>) {
  // expected-error @+1 {{input width 4 must be a multiple of the weight's 3}}
  %0 = xfmr.rms_norm %x, %w eps 1.0e-5 : tensor<?x4xf32>, tensor<3xf32>
  return
}
// -----
// rms_norm C2
func.func @f(%x: tensor<?x4xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{eps must be finite and not negative}}
  %0 = xfmr.rms_norm %x, %w eps -1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  return
}
// -----
// layer_norm C1
func.func @f(%x: tensor<?x4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{weight must have 4 entries, got 'tensor<2xf32>'}}
  %0 = xfmr.layer_norm %x, %w eps 1.0e-5 : (tensor<?x4xf32>, tensor<2xf32>) -> tensor<?x4xf32>
  return
}
// -----
// layer_norm C1: bias
func.func @f(%x: tensor<?x4xf32>, %w: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{bias must have 4 entries, got 'tensor<5xf32>'}}
  %0 = xfmr.layer_norm %x, %w bias %b eps 1.0e-5 : (tensor<?x4xf32>, tensor<4xf32>, tensor<5xf32>) -> tensor<?x4xf32>
  return
}
// -----
// layer_norm C2: not a number
func.func @f(%x: tensor<?x4xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{eps must be finite and not negative}}
  %0 = xfmr.layer_norm %x, %w eps 0x7FF8000000000000 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return
}
// -----
// rope C1
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{input width 8 must be a multiple of head_dim 3}}
  %0 = xfmr.rope half %x head_dim 3 theta 1.0e4 : tensor<?x8xf32>
  return
}
// -----
// rope C2
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{rotary_dim must be even and within 2 .. head_dim 4, got 3}}
  %0 = xfmr.rope half %x head_dim 4 rotary_dim 3 theta 1.0e4 : tensor<?x8xf32>
  return
}
// -----
// rope C3
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{theta must be finite and positive}}
  %0 = xfmr.rope half %x head_dim 4 theta 0.0 : tensor<?x8xf32>
  return
}
// -----
// rope C4
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{divisor_rope must list 2 divisors, got 1}}
  %0 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.divisor_rope<divisors = [1.0], attention_factor = 1.0>} : tensor<?x8xf32>
  return
}
// -----
// rope: which attributes scale
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{attribute 'scaling' failed to satisfy constraint: rope scaling attribute}}
  %0 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = 2.0} : tensor<?x8xf32>
  return
}
// -----
// a parameter of an attribute is finite
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+2 {{expected a finite number}}
  // expected-error @+1 {{failed to parse Xfmr_LinearRopeAttr parameter 'factor'}}
  %0 = xfmr.rope half %x head_dim 4 theta 1.0e4 {scaling = #xfmr.linear_rope<factor = 1.0e999>} : tensor<?x8xf32>
  return
}
// -----
// a style is one of two words
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+2 {{expected ::xfmr::RopeStyle to be one of: half, interleaved}}
  // expected-error @+1 {{failed to parse Xfmr_RopeStyleAttr parameter 'value'}}
  %0 = xfmr.rope quarter %x head_dim 4 theta 1.0e4 : tensor<?x8xf32>
  return
}
// -----
// attention C1
func.func @f(%q: tensor<?x12xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{heads 3 must be a positive multiple of kv_heads 2, and head_dim 4 positive}}
  %0 = xfmr.attention %q, %k, %k heads 3 kv_heads 2 head_dim 4 causal scale 0.5
      : (tensor<?x12xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x12xf32>
  return
}
// -----
// attention C2: query
func.func @f(%q: tensor<?x12xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{query and result must be [tokens, heads * head_dim = 16], got 'tensor<?x12xf32>' and 'tensor<?x12xf32>'}}
  %0 = xfmr.attention %q, %k, %k heads 4 kv_heads 2 head_dim 4 causal scale 0.5
      : (tensor<?x12xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x12xf32>
  return
}
// -----
// attention C2: key and value
func.func @f(%q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x16xf32>) {
  // expected-error @+1 {{key and value must be [tokens, kv_heads * head_dim = 8], got 'tensor<?x16xf32>'}}
  %0 = xfmr.attention %q, %k, %v heads 4 kv_heads 2 head_dim 4 causal scale 0.5
      : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}
// -----
// attention C3
func.func @f(%q: tensor<?x8xf32>, %s: tensor<1xf32>) {
  // expected-error @+1 {{sinks must have 2 entries, got 'tensor<1xf32>'}}
  %0 = xfmr.attention %q, %q, %q sinks %s heads 2 kv_heads 2 head_dim 4 causal scale 0.5
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C4
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{scale must be finite, softcap and window positive}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 causal scale 0.5 window 0
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C4: softcap
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{scale must be finite, softcap and window positive}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 causal scale 0.5 softcap -1.0
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C5: chunk and window
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{chunk must be positive and come with causal, without window}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 causal scale 0.5 window 4 chunk 4
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C5: chunk of nothing
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{chunk must be positive and come with causal, without window}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 causal scale 0.5 chunk 0
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C5: alibi
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{alibi must be finite and positive and come with causal}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 scale 0.5 alibi 8.0
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C6: bias alone
func.func @f(%q: tensor<?x8xf32>, %b: tensor<8x2xf32>) {
  // expected-error @+1 {{bias and max_distance come together}}
  %0 = xfmr.attention %q, %q, %q bias %b heads 2 kv_heads 2 head_dim 4 scale 0.5
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C6: a table of other heads
func.func @f(%q: tensor<?x8xf32>, %b: tensor<8x3xf32>) {
  // expected-error @+1 {{bias must have 2 columns, one a head, a multiple of four of rows and max_distance more than half of them, got 'tensor<8x3xf32>' and 9}}
  %0 = xfmr.attention %q, %q, %q bias %b max_distance 9 heads 2 kv_heads 2 head_dim 4 scale 0.5
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x3xf32>) -> tensor<?x8xf32>
  return
}
// -----
// attention C7
func.func @f(%q: tensor<?x8xf32>) {
  // expected-error @+1 {{cross comes without causal, sinks, bias, softcap and window}}
  %0 = xfmr.attention %q, %q, %q heads 2 kv_heads 2 head_dim 4 causal cross scale 0.5
      : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// clamp C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{limit must be finite and positive}}
  %0 = xfmr.clamp %x limit 0.0 : tensor<?x4xf32>
  return
}
// -----
// position_scale C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{floor must be finite and positive, scale finite}}
  %0 = xfmr.position_scale %x growth <floor = 0.0, scale = 0.1> : tensor<?x4xf32>
  return
}
// -----
// position_scale C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{shift must be 0 or 1}}
  %0 = xfmr.position_scale %x growth <floor = 8.0, scale = 0.1, shift = 2> : tensor<?x4xf32>
  return
}
// -----
// row_scale C1
func.func @f(%x: tensor<?x4xf32>, %s: tensor<?x2xf32>) {
  // expected-error @+1 {{factor must be [tokens, 1], got 'tensor<?x2xf32>'}}
  %0 = xfmr.row_scale %x, %s : tensor<?x4xf32>, tensor<?x2xf32>
  return
}
// -----
// scale C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{factor must be finite}}
  %0 = xfmr.scale %x by 0x7FF0000000000000 : tensor<?x4xf32>
  return
}
// -----
// softcap C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{cap must be finite and positive}}
  %0 = xfmr.softcap %x cap 0.0 : tensor<?x4xf32>
  return
}
// -----
// split C1
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{result widths sum to 7, the input has 8}}
  %0, %1 = xfmr.split %x : tensor<?x8xf32> -> tensor<?x4xf32>, tensor<?x3xf32>
  return
}
// -----
// split C1: tokens
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{operands and result must have the same tokens, got 'tensor<?x8xf32>' and 'tensor<1x4xf32>'}}
  %0, %1 = xfmr.split %x : tensor<?x8xf32> -> tensor<?x4xf32>, tensor<1x4xf32>
  return
}
// -----
// glu C1
func.func @f(%x: tensor<?x4xf32>, %w: tensor<15x4xf32>) {
  // expected-error @+1 {{weight must be [2F, 4], got 'tensor<15x4xf32>'}}
  %0 = xfmr.glu silu %x, %w layout concat : (tensor<?x4xf32>, tensor<15x4xf32>) -> tensor<?x7xf32>
  return
}
// -----
// glu C2
func.func @f(%x: tensor<?x4xf32>, %w: tensor<16x4xf32>) {
  // expected-error @+1 {{result must be [tokens, 8], got 'tensor<?x16xf32>'}}
  %0 = xfmr.glu silu %x, %w layout concat : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
  return
}
// -----
// glu C3
func.func @f(%x: tensor<?x4xf32>, %w: tensor<16x4xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{bias must have 16 entries, got 'tensor<8xf32>'}}
  %0 = xfmr.glu silu %x, %w bias %b layout concat : (tensor<?x4xf32>, tensor<16x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}
// -----
// glu C4
func.func @f(%x: tensor<?x4xf32>, %w: tensor<16x4xf32>) {
  // expected-error @+1 {{alpha and limit must come together, finite and positive, with silu}}
  %0 = xfmr.glu silu %x, %w layout concat alpha 1.702 : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x8xf32>
  return
}
// -----
// glu C4: silu only
func.func @f(%x: tensor<?x4xf32>, %w: tensor<16x4xf32>) {
  // expected-error @+1 {{alpha and limit must come together, finite and positive, with silu}}
  %0 = xfmr.glu gelu %x, %w layout concat alpha 1.702 limit 7.0 : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x8xf32>
  return
}
// -----
// probe C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{name must be of letters, digits, '.', '_' and '-', got 'block 3'}}
  xfmr.probe "block 3" %x : tensor<?x4xf32>
  return
}
// -----
// probe C1: nothing
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{name must be of letters, digits, '.', '_' and '-', got ''}}
  xfmr.probe "" %x : tensor<?x4xf32>
  return
}
// -----
// probe C4
func.func @top(%x: tensor<?x4xf32>) {
  // expected-error @below {{top must be 1 to 4, got 5}}
  xfmr.probe "x.top" %x top 5 : tensor<?x4xf32>
  return
}

// -----

// probe C4: too many for a kernel
func.func @top(%x: tensor<?x400xf32>) {
  // expected-error @below {{top must be 1 to 256, got 257}}
  xfmr.probe "x.top" %x top 257 : tensor<?x400xf32>
  return
}

// -----

// probe C4: the name
func.func @top(%x: tensor<?x4xf32>) {
  // expected-error @below {{name must end in .top with top, and only then, got 'x'}}
  xfmr.probe "x" %x top 2 : tensor<?x4xf32>
  return
}

// -----

// probe C4: the name without
func.func @top(%x: tensor<?x4xf32>) {
  // expected-error @below {{name must end in .top with top, and only then, got 'x.top'}}
  xfmr.probe "x.top" %x : tensor<?x4xf32>
  return
}

// -----

// probe C5
func.func @top(%x: tensor<?x4xf32>) {
  // expected-error @below {{magnitude needs top}}
  xfmr.probe "x" %x magnitude : tensor<?x4xf32>
  return
}

// -----

// probe C2
func.func @f(%x: tensor<?x4xf32>, %r: tensor<2x4xf32>, %w: tensor<2x4x4xf32>) {
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
    %o = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error @+1 {{lies in an expert, whose rows are not those of the text: look at what its mixture gives}}
    xfmr.probe "inside" %o : tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return
}
