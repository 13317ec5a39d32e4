// rope_cache: for each row t < count at position p = position + t: optional per-head rms norm of q
// and k, rotary embedding of their first rotaryDim columns, q back in place, k and v into the
// caches at p.
//
// The table is f32 [max_context, paddedWidth(rotaryDim)]: row p holds cos(p * freq_j) for j <
// rotaryDim / 2, then sin(p * freq_j) (frequency scaling and attention factors are already in it).
// Style half pairs (j, j + rotaryDim / 2), interleaved pairs (2j, 2j + 1). Caches: [num_kv_heads,
// max_context, paddedWidth(head_dim)], f32, f16 (two a word) or bytes with scales behind them
// (CacheType::Q8); pads are zeroed.
// latent (docs/LatentAttention.md): one kv head, whose row of the cache holds the rotaryDim columns of k, turned, and behind them
// the headDim - rotaryDim of v. On the CPU it lies as values do. Heads of q turn alike, qHead columns apart.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class RopeStyle : uint8_t { None, Half, Interleaved };
template <> struct Words<RopeStyle> {
  static constexpr const char *all[] = {"none", "half", "interleaved"};
};

// Heads a workgroup takes.
constexpr uint32_t kRopeItems = 8;

// Adds what heads are normed and turned by: [rope r] [q_norm r] [k_norm r].
void addTurn(std::vector<Binding> &bindings, RopeStyle style, bool qNorm, bool kNorm);

// Why no head is turned so; empty: nothing is wrong.
std::string rotaryFault(uint32_t rotaryDim, uint32_t headDim, RopeStyle style);

struct RopeCacheSpec {
  CacheType cache = CacheType::F32;
  RopeStyle style = RopeStyle::Half; // None: no rotation and no table
  bool qNorm = false;                // rms norm of each head of q with a weight [head_dim]
  bool kNorm = false;
  bool unitOffset = false; // the norms multiply by 1 + w
  bool unaligned = false;  // as the params say
  bool latent = false;     // see above

  std::string name() const;
  // state r, q rw, k r, v r, k_cache w, v_cache w (not with latent) [, rope r] [, q_norm r] [, k_norm r]
  // q, k and v may be slices of one buffer. Without style and qNorm q is not touched (access r).
  std::vector<Binding> bindings() const;
  bool touchesQ() const { return style != RopeStyle::None || qNorm; }
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("cache", self.cache); f("style", self.style); f("q_norm", self.qNorm);
    f("k_norm", self.kNorm); f("unit_offset", self.unitOffset);
    f("latent", self.latent); f("unaligned", self.unaligned);
  }
};

struct RopeCacheParams {
  uint32_t numHeads = 0;
  uint32_t numKvHeads = 0;
  uint32_t headDim = 0;   // isHeadDim of Attention.h
  uint32_t rotaryDim = 0; // even, at most headDim; 0 with style None
  uint32_t maxContext = 0;
  uint32_t maxRows = 0;
  Rows q, k, v; // head h starts at column h * headDim
  float eps = 1e-6f;
  uint32_t qHead = 0; // with latent: columns between heads of q, a multiple of 8

  // What the spec's `unaligned` must be.
  bool unaligned() const {
    return headDim % 4 != 0 || !q.aligned() || !k.aligned() || !v.aligned();
  }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const RopeCacheSpec &spec) const;
  std::string fault(const RopeCacheSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("num_kv_heads", self.numKvHeads); f("head_dim", self.headDim);
    f("rotary_dim", self.rotaryDim); f("max_context", self.maxContext); f("max_rows", self.maxRows);
    f("q", self.q); f("k", self.k); f("v", self.v); f("eps", self.eps); f("q_head", self.qHead);
  }
};

} // namespace xfmr::codegen
