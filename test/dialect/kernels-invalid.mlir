// What is refused in the attribute of a kernel: by the parser, or by a numbered constraint of dialect/kernels/Kernels.td.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{no field is called weigth; there are weight, rms_norm, unit_offset, epilogue, codes}}
module attributes {xfmr.kernel = #xfmr.gemv<weigth = f32>} {}

// -----

// expected-error @below {{rms_norm is given twice}}
module attributes {xfmr.kernel = #xfmr.gemv<rms_norm, rms_norm>} {}

// -----

// expected-error @below {{expected one of f32, f16, bf16, q8, q4, q8_wide, q4_wide, q8_fine, q6_fine, q4_fine, q8_fine_wide, q4_fine_wide for weight, got f64}}
module attributes {xfmr.kernel = #xfmr.gemv<weight = f64>} {}

// -----

// expected-error @below {{expected one of none, silu, gelu, gelu_tanh, relu, sigmoid, tanh, relu2 for activation, got swish}}
module attributes {xfmr.kernel = #xfmr.gemm<epilogue = <activation = swish>>} {}

// -----

// expected-error @below {{expected true or false for causal, got no}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 16, causal = no>} {}

// -----

// expected-error @below {{expected '='}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts, top_k = 1>} {}

// -----

// expected-error @below {{integer value too large}}
module attributes {xfmr.kernel = #xfmr.gemv_params<n = 4294967296>} {}

// -----

// expected-error @below {{expected a finite f32 for eps}}
module attributes {xfmr.kernel = #xfmr.gemv_params<eps = 1.0e+99>} {}

// -----

// gemv C1
// expected-error @below {{gemv: unit_offset needs rms_norm}}
module attributes {xfmr.kernel = #xfmr.gemv<unit_offset>} {}

// -----

// gemv C2
// expected-error @below {{gemv: codes need a quantised weight, got bf16}}
module attributes {xfmr.kernel = #xfmr.gemv<weight = bf16, codes>} {}

// -----

// gemm C1
// expected-error @below {{gemm: codes need a quantised weight, got f32}}
module attributes {xfmr.kernel = #xfmr.gemm<codes>} {}

// -----

// gemm C2
// expected-error @below {{gemm: pairs need a weight of bf16, got f32}}
module attributes {xfmr.kernel = #xfmr.gemm<pairs>} {}

// -----

// moe_gemm C5
// expected-error @below {{moe_gemm: weighted rows have no pairs}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<weight = bf16, weighted, pairs>} {}

// -----

// moe_gemm C6
// expected-error @below {{moe_gemm: pairs need a weight of bf16, got f16}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<weight = f16, pairs>} {}

// -----

// moe_gemm C3
// expected-error @below {{moe_gemm: weighted rows have no codes}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<weight = q8, weighted, codes>} {}

// -----

// moe_gemm C4
// expected-error @below {{moe_gemm: codes need a quantised weight, got f16}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<weight = f16, codes>} {}

// -----

// moe_gemv C4
// expected-error @below {{moe_gemv: weighted rows have no codes}}
module attributes {xfmr.kernel = #xfmr.moe_gemv<weight = q8, weighted, codes>} {}

// -----

// moe_gemv C5
// expected-error @below {{moe_gemv: codes need a quantised weight, got f16}}
module attributes {xfmr.kernel = #xfmr.moe_gemv<weight = f16, codes>} {}

// -----

// moe_router C5
// expected-error @below {{moe_router: needs a weight of f32, f16 or bf16, got q8}}
module attributes {xfmr.kernel = #xfmr.moe_router<weight = q8, experts = 6, top_k = 1>} {}

// -----

// elementwise C1
// expected-error @below {{elementwise: add has no activation, got silu}}
module attributes {xfmr.kernel = #xfmr.elementwise<op = add, activation = silu>} {}

// -----

// rope_cache C1
// expected-error @below {{rope_cache: unit_offset needs q_norm or k_norm}}
module attributes {xfmr.kernel = #xfmr.rope_cache<unit_offset>} {}

// -----

// attention_prefill C1
// expected-error @below {{attention_prefill: head_dim is 257, expected 1 to 256}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 257>} {}

// -----

// attention_decode C1
// expected-error @below {{attention_decode: head_dim is 0, expected 1 to 256}}
module attributes {xfmr.kernel = #xfmr.attention_decode<>} {}

// -----

// attention_decode C2
// expected-error @below {{attention_decode: sinks need single or combines}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, sinks>} {}

// -----

// attention_decode C3
// expected-error @below {{attention_decode: single leaves nothing that combines}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, single, combines>} {}

// -----

// attention_decode C4
// expected-error @below {{attention_decode: style and norms need caches}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, style = half>} {}

// -----

// attention_decode C5
// expected-error @below {{attention_decode: unit_offset needs q_norm or k_norm}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, single, caches, unit_offset>} {}

// -----

// attention_decode C6
// expected-error @below {{attention_decode: caches need single or combines}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, caches>} {}

// -----

// attention_combine C1
// expected-error @below {{attention_combine: head_dim is 641, expected 1 to 640}}
module attributes {xfmr.kernel = #xfmr.attention_combine<head_dim = 641>} {}

// -----

// attention_prefill C1
// expected-error @below {{attention_prefill: head_dim is 648, expected 1 to 640}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 648, latent>} {}

// -----

// attention_prefill C2
// expected-error @below {{attention_prefill: cross comes alone, without causal, softcap, sinks, biases and chunks}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 16, causal = false, bias, cross>} {}

// -----

// attention_prefill C3
// expected-error @below {{attention_prefill: a latent head_dim must be a multiple of 8}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 20, latent>} {}

// -----

// attention_prefill C4
// expected-error @below {{attention_prefill: latent comes without bias and cross}}
module attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 16, bias, latent>} {}

// -----

// attention_decode C7
// expected-error @below {{attention_decode: cross comes alone, without causal, softcap, sinks, biases and chunks}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, bias, cross>} {}

// -----

// attention_decode C8
// expected-error @below {{attention_decode: a latent head_dim must be a multiple of 8}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 20, latent>} {}

// -----

// attention_decode C9
// expected-error @below {{attention_decode: latent comes without bias, cross, combines and caches}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, latent, combines>} {}

// -----

// rope_cache C2
// expected-error @below {{rope_cache: latent needs a style and no norms}}
module attributes {xfmr.kernel = #xfmr.rope_cache<style = none, latent>} {}

// -----

// latent_expand C1
// expected-error @below {{latent_expand: weight must be f32, f16 or bf16, got q8}}
module attributes {xfmr.kernel = #xfmr.latent_expand<weight = q8>} {}

// -----

// latent_expand C2
// expected-error @below {{latent_expand: heads must be f32 or f16, got q8}}
module attributes {xfmr.kernel = #xfmr.latent_expand<heads = q8>} {}

// -----

// head_product C1
// expected-error @below {{head_product: weight must be f32, f16 or bf16, got q8}}
module attributes {xfmr.kernel = #xfmr.head_product<weight = q8>} {}

// -----

// moe_router C1
// expected-error @below {{moe_router: needs 1 .. 512 experts and a top_k of 1 .. 16 of them, got 2 and 3}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts = 2, top_k = 3>} {}

// -----

// moe_router C2
// expected-error @below {{moe_router: groups must divide the 6 experts and kept_groups be of them, got 4 and 1}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts = 6, top_k = 1, groups = 4>} {}

// -----

// moe_router C3
// expected-error @below {{moe_router: unit_offset needs rms_norm}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts = 6, top_k = 1, unit_offset>} {}

// -----

// moe_router C4
// expected-error @below {{moe_router: rows_per_group must be 1, 2 or 4, got 3}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts = 6, top_k = 1, rows_per_group = 3>} {}

// -----

// moe_router C6
// expected-error @below {{moe_router: spread needs rows_per_group 1, got 4}}
module attributes {xfmr.kernel = #xfmr.moe_router<experts = 64, top_k = 1, rows_per_group = 4, spread>} {}

// -----

// moe_gemm C1
// expected-error @below {{moe_gemm: tile_rows must be 8, 16, 32, 64 or 128, got 24}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<tile_rows = 24>} {}

// -----

// moe_gemm C2
// expected-error @below {{moe_gemm: clamped needs glu}}
module attributes {xfmr.kernel = #xfmr.moe_gemm<epilogue = <clamped>>} {}

// -----

// moe_gemv C1
// expected-error @below {{moe_gemv: clamped needs glu}}
module attributes {xfmr.kernel = #xfmr.moe_gemv<epilogue = <clamped>>} {}

// -----

// moe_gemv C2
// expected-error @below {{moe_gemv: shared_gate needs shared}}
module attributes {xfmr.kernel = #xfmr.moe_gemv<product = second, terms = <shared_gate>>} {}

// -----

// moe_gemv C3
// expected-error @below {{moe_gemv: the first product has no terms}}
module attributes {xfmr.kernel = #xfmr.moe_gemv<terms = <residual>>} {}

// -----

// top_k C1
// expected-error @below {{top_k: top is 257, expected 1 to 256}}
module attributes {xfmr.kernel = #xfmr.top_k<top = 257>} {}

// -----

// moe_combine C1
// expected-error @below {{moe_combine: shared_gate needs shared}}
module attributes {xfmr.kernel = #xfmr.moe_combine<terms = <shared_gate>>} {}

// -----

// attention_decode C7
// expected-error @below {{attention_decode: cross comes alone, without causal, softcap, sinks, biases and chunks}}
module attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 16, single, softcap, cross>} {}
