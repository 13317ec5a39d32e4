// head_product: of each head its own matrix, out[t, h] = W[h] x[t, h] for t < count: what takes queries of latent attention to the
// latent's space and sums of latents back (docs/LatentAttention.md). Columns in front of a head's product may be copied along:
// those that rotate.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// Rows of the weight, and of x unless `single`, that an invocation takes on Vulkan; four rows of the weight are a block.
constexpr uint32_t kHeadProductRows = 4, kHeadProductBlocks = 64;

struct HeadProductSpec {
  WeightType weight = WeightType::F32; // no quantised one
  bool single = false;                 // one row

  std::string name() const;
  // state r, x r, weight r ([heads, n, k]), out w; x may not overlap out
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("single", self.single);
  }
};

struct HeadProductParams {
  uint32_t numHeads = 0;
  uint32_t n = 0, k = 0;          // of a head; multiples of 8
  uint32_t copied = 0;            // columns right in front of a head's product, in x and in out
  uint32_t xHead = 0, outHead = 0; // columns between heads; multiples of 8
  uint32_t maxRows = 0;
  Rows x, out; // where the product of head 0 begins

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const HeadProductSpec &spec) const;
  std::string fault(const HeadProductSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("num_heads", self.numHeads); f("n", self.n); f("k", self.k); f("copied", self.copied);
    f("x_head", self.xHead); f("out_head", self.outHead); f("max_rows", self.maxRows);
    f("x", self.x); f("out", self.out);
  }
};

} // namespace xfmr::codegen
