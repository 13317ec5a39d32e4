// latent_expand: keys and values of all heads from the rows of a latent cache, for attention_prefill of the written out form
// (docs/LatentAttention.md). For every position j < position + count, with row_j = [turned | latent]:
//   key_hj = [turned | (W_h latent)[0 … n)],  value_hj = (W_h latent)[n … n + head_dim),  n = head_dim - rotary_dim
// k_cache and v_cache lie as those of RopeCache.h, with a head of theirs for each query head.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// Positions that an invocation takes on Vulkan, and blocks of four rows of the weight that a workgroup takes.
constexpr uint32_t kLatentExpandRows = 4, kLatentExpandBlocks = 64;

struct LatentExpandSpec {
  WeightType weight = WeightType::F32; // no quantised one
  CacheType cache = CacheType::F32;    // of the rows
  CacheType heads = CacheType::F32;    // of keys and values; no Q8

  std::string name() const;
  // state r, rows r, weight r ([heads, n + head_dim, latent]), k_cache w, v_cache w
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("cache", self.cache); f("heads", self.heads);
  }
};

struct LatentExpandParams {
  uint32_t numHeads = 0;
  uint32_t headDim = 0;   // multiples of 8, these three
  uint32_t rotaryDim = 0; // below headDim
  uint32_t latentDim = 0;
  uint32_t maxContext = 0;

  uint32_t outputs() const { return 2 * headDim - rotaryDim; } // rows of a head's weight
  uint32_t rowDim() const { return rotaryDim + latentDim; }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const LatentExpandSpec &spec) const;
  std::string fault(const LatentExpandSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("head_dim", self.headDim); f("rotary_dim", self.rotaryDim);
    f("latent_dim", self.latentDim); f("max_context", self.maxContext);
  }
};

} // namespace xfmr::codegen
