// Every kernel and its params as attributes: text, then text again. What differs from the default is printed.
// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s

// CHECK-LABEL: @attention_combine
// CHECK-SAME: kernel = #xfmr.attention_combine<head_dim = 64>,
// CHECK-SAME: params = #xfmr.attention_combine_params<num_heads = 4, max_context = 512>}
module @attention_combine attributes {xfmr.kernel = #xfmr.attention_combine<head_dim = 64>, xfmr.params = #xfmr.attention_combine_params<num_heads = 4, max_context = 512>} {}

// CHECK-LABEL: @attention_decode
// CHECK-SAME: kernel = #xfmr.attention_decode<head_dim = 64, cache = f16>,
// CHECK-SAME: params = #xfmr.attention_decode_params<num_heads = 4, num_kv_heads = 2, max_context = 512, scale = 1.250000e-01>}
module @attention_decode attributes {xfmr.kernel = #xfmr.attention_decode<head_dim = 64, cache = f16>, xfmr.params = #xfmr.attention_decode_params<num_heads = 4, num_kv_heads = 2, max_context = 512, scale = 0.125>} {}

// CHECK-LABEL: @attention_prefill
// CHECK-SAME: kernel = #xfmr.attention_prefill<head_dim = 16, causal = false>,
// CHECK-SAME: params = #xfmr.attention_prefill_params<num_heads = 1, num_kv_heads = 1, max_context = 8, max_rows = 4, q = <stride = 16>, out = <stride = 16>>}
module @attention_prefill attributes {xfmr.kernel = #xfmr.attention_prefill<head_dim = 16, causal = false>, xfmr.params = #xfmr.attention_prefill_params<num_heads = 1, num_kv_heads = 1, max_context = 8, max_rows = 4, q = <stride = 16>, out = <stride = 16>>} {}

// CHECK-LABEL: @elementwise
// CHECK-SAME: kernel = #xfmr.elementwise<op = activation, activation = silu>,
// CHECK-SAME: params = #xfmr.elementwise_params<width = 16, max_rows = 4, a = <stride = 16>, out = <stride = 16>>}
module @elementwise attributes {xfmr.kernel = #xfmr.elementwise<op = activation, activation = silu>, xfmr.params = #xfmr.elementwise_params<width = 16, max_rows = 4, a = <stride = 16>, out = <stride = 16>>} {}

// CHECK-LABEL: @embedding
// CHECK-SAME: kernel = #xfmr.embedding<weight = bf16>,
// CHECK-SAME: params = #xfmr.embedding_params<width = 16, vocab = 32, table_rows = 32, max_rows = 1, out = <stride = 16>>}
module @embedding attributes {xfmr.kernel = #xfmr.embedding<weight = bf16>, xfmr.params = #xfmr.embedding_params<width = 16, vocab = 32, table_rows = 32, max_rows = 1, out = <stride = 16>>} {}

// CHECK-LABEL: @gemm
// CHECK-SAME: kernel = #xfmr.gemm<epilogue = <bias, activation = gelu>>,
// CHECK-SAME: params = #xfmr.gemm_params<n = 64, k = 16, max_rows = 4, x = <stride = 16>, out = <stride = 64>>}
module @gemm attributes {xfmr.kernel = #xfmr.gemm<epilogue = <bias, activation = gelu>>, xfmr.params = #xfmr.gemm_params<n = 64, k = 16, max_rows = 4, x = <stride = 16>, out = <stride = 64>>} {}

// CHECK-LABEL: @gemv
// CHECK-SAME: kernel = #xfmr.gemv<weight = bf16, rms_norm, epilogue = <activation = silu, glu, residual>>,
// CHECK-SAME: params = #xfmr.gemv_params<n = 64, k = 16>}
module @gemv attributes {xfmr.kernel = #xfmr.gemv<weight = bf16, rms_norm, epilogue = <activation = silu, glu, residual>>, xfmr.params = #xfmr.gemv_params<n = 64, k = 16>} {}

// CHECK-LABEL: @moe_combine
// CHECK-SAME: kernel = #xfmr.moe_combine<terms = <residual>>,
// CHECK-SAME: params = #xfmr.moe_combine_params<width = 16, top_k = 2, max_rows = 4, parts = <stride = 16>, out = <stride = 16>>}
module @moe_combine attributes {xfmr.kernel = #xfmr.moe_combine<terms = <residual>>, xfmr.params = #xfmr.moe_combine_params<width = 16, top_k = 2, max_rows = 4, parts = <stride = 16>, out = <stride = 16>>} {}

// CHECK-LABEL: @moe_gemm
// CHECK-SAME: kernel = #xfmr.moe_gemm<weight = f16, epilogue = <glu>, tile_rows = 8>,
// CHECK-SAME: params = #xfmr.moe_gemm_params<layout = <experts = 4, top_k = 2, max_rows = 8, tile_rows = 8>, n = 32, k = 16, x = <stride = 16>, out = <stride = 16>>}
module @moe_gemm attributes {xfmr.kernel = #xfmr.moe_gemm<weight = f16, epilogue = <glu>, tile_rows = 8>, xfmr.params = #xfmr.moe_gemm_params<layout = <experts = 4, top_k = 2, max_rows = 8, tile_rows = 8>, n = 32, k = 16, x = <stride = 16>, out = <stride = 16>>} {}

// CHECK-LABEL: @moe_gemv
// CHECK-SAME: kernel = #xfmr.moe_gemv<product = second, weighted>,
// CHECK-SAME: params = #xfmr.moe_gemv_params<n = 16, k = 32, top_k = 2, max_rows = 1, x = <stride = 32>, out = <stride = 16>>}
module @moe_gemv attributes {xfmr.kernel = #xfmr.moe_gemv<product = second, weighted>, xfmr.params = #xfmr.moe_gemv_params<n = 16, k = 32, top_k = 2, max_rows = 1, x = <stride = 32>, out = <stride = 16>>} {}

// CHECK-LABEL: @moe_plan
// CHECK-SAME: kernel = #xfmr.moe_plan<stats>,
// CHECK-SAME: params = #xfmr.moe_plan_params<layout = <experts = 4, top_k = 2, max_rows = 8>>}
module @moe_plan attributes {xfmr.kernel = #xfmr.moe_plan<stats>, xfmr.params = #xfmr.moe_plan_params<layout = <experts = 4, top_k = 2, max_rows = 8>>} {}

// CHECK-LABEL: @moe_router
// CHECK-SAME: kernel = #xfmr.moe_router<experts = 8, top_k = 2, norm>,
// CHECK-SAME: params = #xfmr.moe_router_params<k = 16, max_rows = 4, x = <stride = 16>>}
module @moe_router attributes {xfmr.kernel = #xfmr.moe_router<experts = 8, top_k = 2, norm>, xfmr.params = #xfmr.moe_router_params<k = 16, max_rows = 4, x = <stride = 16>>} {}

// CHECK-LABEL: @norm
// CHECK-SAME: kernel = #xfmr.norm<kind = layer, bias>,
// CHECK-SAME: params = #xfmr.norm_params<width = 16, max_rows = 4, x = <stride = 16>, out = <stride = 16>>}
module @norm attributes {xfmr.kernel = #xfmr.norm<kind = layer, bias>, xfmr.params = #xfmr.norm_params<width = 16, max_rows = 4, x = <stride = 16>, out = <stride = 16>>} {}

// CHECK-LABEL: @rope_cache
// CHECK-SAME: kernel = #xfmr.rope_cache<style = interleaved>,
// CHECK-SAME: params = #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 8, rotary_dim = 8, max_context = 8, max_rows = 1, q = <stride = 16>, k = <stride = 8>, v = <stride = 8>>}
module @rope_cache attributes {xfmr.kernel = #xfmr.rope_cache<style = interleaved>, xfmr.params = #xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 8, rotary_dim = 8, max_context = 8, max_rows = 1, q = <stride = 16>, k = <stride = 8>, v = <stride = 8>>} {}

// CHECK-LABEL: @row_codes
// CHECK-SAME: kernel = #xfmr.row_codes<halves>,
// CHECK-SAME: params = #xfmr.row_codes_params<width = 256, max_rows = 4, x = <stride = 256>>}
module @row_codes attributes {xfmr.kernel = #xfmr.row_codes<halves>, xfmr.params = #xfmr.row_codes_params<width = 256, max_rows = 4, x = <stride = 256>>} {}

// CHECK-LABEL: @codes
// CHECK-SAME: kernel = #xfmr.gemm<weight = q4, codes>}
module @codes attributes {xfmr.kernel = #xfmr.gemm<weight = q4, codes>} {}

// CHECK-LABEL: @row_pairs
// CHECK-SAME: kernel = #xfmr.row_pairs,
// CHECK-SAME: params = #xfmr.row_pairs_params<width = 256, max_rows = 4, rows_a_token = 2, x = <stride = 256>>}
module @row_pairs attributes {xfmr.kernel = #xfmr.row_pairs, xfmr.params = #xfmr.row_pairs_params<width = 256, max_rows = 4, rows_a_token = 2, x = <stride = 256>>} {}

// CHECK-LABEL: @pairs
// CHECK-SAME: kernel = #xfmr.gemm<weight = bf16, pairs>}
module @pairs attributes {xfmr.kernel = #xfmr.gemm<weight = bf16, pairs>} {}

// CHECK-LABEL: @sample
// CHECK-SAME: kernel = #xfmr.sample<>,
// CHECK-SAME: params = #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8>}
module @sample attributes {xfmr.kernel = #xfmr.sample<>, xfmr.params = #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8>} {}

// CHECK-LABEL: @sample_cut
// CHECK-SAME: kernel = #xfmr.sample<part = cut>,
// CHECK-SAME: params = #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256, round = 3>}
module @sample_cut attributes {xfmr.kernel = #xfmr.sample<part = cut>, xfmr.params = #xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8, slice = 256, round = 3>} {}

// CHECK-LABEL: @top_k
// CHECK-SAME: kernel = #xfmr.top_k<top = 8, magnitude>,
// CHECK-SAME: params = #xfmr.top_k_params<width = 352, max_rows = 4, x = <stride = 352>>}
module @top_k attributes {xfmr.kernel = #xfmr.top_k<top = 8, magnitude>, xfmr.params = #xfmr.top_k_params<width = 352, max_rows = 4, x = <stride = 352>>} {}
