// The three attention kernels. All read keys and values from the caches (layout in RopeCache.h),
// which already hold the rows of this run; query head h uses kv head h / (numHeads / numKvHeads).
//   score_ij = scale * q_i . k_j;  with softcap: c * tanh(score / c)
//   visible:  causal: j <= i; not causal: j < position + count; window w > 0: also i - w < j < i + w; chunk c > 0: also in the
//   run of c positions that i is in
//   cross: every key of the source, j < state::kSource
//   alibi b: score_ij + slope_h (j - i), slopes as builder/Alibi.h has them
//   bias: score_ij + bias[h * span + j - i + max_context - 1], span = biasSpan(max_context)
//   out_i = sum_j softmax_j(score_ij) v_j; with sinks, exp(sink_h) joins the denominator (gpt-oss)
// latent: k_cache and v_cache are the same bytes, rows as those of values lie (docs/LatentAttention.md).
// Softmax is online (Milakov and Gimelshein 2018): no buffer of scores.
//
// attention_prefill works on all rows; attention_decode on one row, the context split over
// workgroups that leave partial results for attention_combine, or, with `single`, over one
// workgroup a head that finishes.
//
// On Vulkan, where a dispatch and its barrier cost as much as a small kernel, attention_decode does what lies around it too.
// `caches`: it takes the token's rows as the projections left them, does to them what rope_cache does, and writes the caches,
// which hold the rows before. `combines`: of a head's splits the one that ends last combines the results of all, in the order
// of the keys, so that the bits do not depend on which one that is.
#pragma once
#include "passes/codegen/Kernel.h"
#include "passes/codegen/RopeCache.h"

namespace xfmr::codegen {

// The head sizes the kernels of attention and rope_cache take.
constexpr uint32_t kMaxHeadDim = 256;
// The same of `latent` ones: the latent and what rotates.
constexpr uint32_t kMaxLatentDim = 640;
constexpr bool isHeadDim(uint32_t headDim, bool latent = false) {
  return headDim > 0 && headDim <= (latent ? kMaxLatentDim : kMaxHeadDim);
}

std::string headDimFault(uint32_t headDim, bool latent = false);

// Query rows a workgroup of attention_prefill takes.
constexpr uint32_t queryTile(uint32_t headDim) {
  return headDim <= 16 ? 64 : headDim <= 32 ? 32 : 16;
}

// How many heads have slopes of the first kind, see builder/Alibi.h: the largest power of two that is at most numHeads.
constexpr uint32_t alibiHeads(uint32_t numHeads) {
  uint32_t n = 1;
  while (2 * n <= numHeads)
    n *= 2;
  return n;
}

// Floats of a head in a table of biases by distance: one for each distance from 1 - maxContext on, and what loads of whole
// vectors touch behind the last.
constexpr uint32_t biasSpan(uint32_t maxContext) { return (2 * maxContext + 16) / 8 * 8; }

// Positions back that a row may see: of a window, or of the run of `chunk` positions that it is in; 0: all.
constexpr uint32_t reachOf(uint32_t window, uint32_t chunk) { return chunk ? chunk : window; }

struct AttentionPrefillSpec {
  uint32_t headDim = 0; // see isHeadDim
  CacheType cache = CacheType::F32;
  bool causal = true;
  bool softcap = false;
  bool sinks = false;
  bool unaligned = false; // as the params say
  bool alibi = false, chunked = false, bias = false, cross = false;
  bool latent = false; // see above

  bool singleFloats() const { return unaligned || headDim % 4; }
  std::string name() const;
  // state r, q r, k_cache r, v_cache r, out w [, sinks r (f32 [num_heads])] [, bias r (f32 [num_heads, biasSpan])]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("head_dim", self.headDim); f("cache", self.cache); f("causal", self.causal);
    f("softcap", self.softcap); f("sinks", self.sinks); f("alibi", self.alibi); f("chunked", self.chunked);
    f("bias", self.bias); f("cross", self.cross); f("latent", self.latent);
    f("unaligned", self.unaligned);
  }
};

struct AttentionPrefillParams {
  uint32_t numHeads = 0;
  uint32_t numKvHeads = 0;
  uint32_t maxContext = 0;
  uint32_t maxRows = 0;
  Rows q;   // head h starts at column h * headDim
  Rows out; // row width numHeads * headDim; pad columns up to paddedWidth are zeroed
  float scale = 1.0f;
  float softcap = 1.0f;
  uint32_t window = 0; // 0: off
  uint32_t chunk = 0;  // with chunked
  float alibi = 0;     // with alibi: b

  // What the spec's `unaligned` must be.
  bool unaligned() const { return !q.aligned() || !out.aligned(); }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const AttentionPrefillSpec &spec) const;
  std::string fault(const AttentionPrefillSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("num_kv_heads", self.numKvHeads);
    f("max_context", self.maxContext); f("max_rows", self.maxRows); f("q", self.q);
    f("out", self.out); f("scale", self.scale); f("softcap", self.softcap);
    f("window", self.window); f("chunk", self.chunk); f("alibi", self.alibi);
  }
};

// Keys one workgroup of attention_decode looks at when the context is split.
constexpr uint32_t kDecodeSplit = 256;
// How many splits a context of maxContext keys has. One: use `single`, and no attention_combine.
constexpr uint32_t decodeSplits(uint32_t maxContext) {
  return (maxContext + kDecodeSplit - 1) / kDecodeSplit;
}
// Size in floats of the `partial` buffer: [num_heads, splits, paddedWidth(head_dim) + 8]; a row is
// the weighted sum of values, then the largest score and the sum of exponentials.
constexpr uint64_t decodePartialFloats(uint32_t numHeads, uint32_t headDim, uint32_t maxContext) {
  return uint64_t(numHeads) * decodeSplits(maxContext) * (paddedWidth(headDim) + 8);
}

struct AttentionDecodeSpec {
  uint32_t headDim = 0;
  CacheType cache = CacheType::F32;
  bool single = false; // one split: writes `out`, takes sinks; no attention_combine follows
  bool softcap = false;
  bool sinks = false; // only with single or combines; otherwise attention_combine adds them
  bool unaligned = false;
  bool alibi = false, bias = false, cross = false;
  bool latent = false;
  bool combines = false; // not with single
  bool caches = false;
  RopeStyle style = RopeStyle::None; // this and the next with `caches`, as in RopeCacheSpec
  bool qNorm = false, kNorm = false, unitOffset = false;

  bool singleFloats() const { return unaligned || headDim % 4; }
  bool splits() const { return !single && !combines; }

  std::string name() const;
  // single:   state r, q r, k_cache r, v_cache r, out w [, sinks r]
  // split:    state r, q r, k_cache r, v_cache r, partial w
  // combines: state r, q r, k_cache r, v_cache r, out w, partial rw, done rw (u32 [num_heads], zero before and after) [, sinks r]
  // with caches k_cache and v_cache are rw, and then come: k r, v r [, rope r] [, q_norm r] [, k_norm r]; last [, bias r]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("head_dim", self.headDim); f("cache", self.cache); f("single", self.single);
    f("softcap", self.softcap); f("sinks", self.sinks); f("alibi", self.alibi); f("unaligned", self.unaligned);
    f("combines", self.combines); f("caches", self.caches); f("style", self.style); f("q_norm", self.qNorm);
    f("k_norm", self.kNorm); f("unit_offset", self.unitOffset);
    f("bias", self.bias); f("cross", self.cross); f("latent", self.latent);
  }
};

struct AttentionDecodeParams {
  uint32_t numHeads = 0;
  uint32_t numKvHeads = 0;
  uint32_t maxContext = 0;
  uint32_t qOffset = 0;
  uint32_t outOffset = 0; // with single or combines
  float scale = 1.0f;
  float softcap = 1.0f;
  uint32_t window = 0;
  uint32_t chunk = 0; // 0: off
  float alibi = 0;    // with alibi: b
  // With `caches`; the rows of q, k and v may be slices of one buffer.
  uint32_t kOffset = 0, vOffset = 0;
  uint32_t rotaryDim = 0;
  float eps = 1e-6f;

  bool unaligned() const { return (qOffset | outOffset | kOffset | vOffset) % 4 != 0; }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const AttentionDecodeSpec &spec) const;
  std::string fault(const AttentionDecodeSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("num_kv_heads", self.numKvHeads);
    f("max_context", self.maxContext); f("q_offset", self.qOffset); f("out_offset", self.outOffset);
    f("scale", self.scale); f("softcap", self.softcap); f("window", self.window);
    f("chunk", self.chunk); f("alibi", self.alibi);
    f("k_offset", self.kOffset); f("v_offset", self.vOffset); f("rotary_dim", self.rotaryDim); f("eps", self.eps);
  }
};

struct AttentionCombineSpec {
  uint32_t headDim = 0;
  bool sinks = false;
  bool unaligned = false;
  bool cross = false;

  bool singleFloats() const { return unaligned || headDim % 4; }
  std::string name() const;
  // state r, partial r, out w [, sinks r]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("head_dim", self.headDim); f("sinks", self.sinks); f("unaligned", self.unaligned); f("cross", self.cross);
  }
};

struct AttentionCombineParams {
  uint32_t numHeads = 0;
  uint32_t maxContext = 0;
  uint32_t outOffset = 0;
  uint32_t window = 0;
  uint32_t chunk = 0;

  bool unaligned() const { return outOffset % 4 != 0; }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const AttentionCombineSpec &spec) const;
  std::string fault(const AttentionCombineSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("max_context", self.maxContext);
    f("out_offset", self.outOffset); f("window", self.window); f("chunk", self.chunk);
  }
};

} // namespace xfmr::codegen
