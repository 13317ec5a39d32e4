// moe_gemm: one of the two products of the grouped route, over the tiles of a plan (MoePlan.h); rows of one
// expert are multiplied by that expert's weight together.
//   First:  out[p] = epilogue(W_e x[row of entry p])        gathers rows of x, packs results in plan order
//   Second: out[entry p] = w * epilogue(W_e x[p])           reads plan order, scatters to [rows * topK, n]
// The grid comes from the plan (indirect) or is the largest possible, tiles beyond the last doing nothing.
#pragma once
#include "passes/codegen/MoeExpert.h"
#include "passes/codegen/MoePlan.h"

namespace xfmr::codegen {

enum class MoeProduct : uint8_t { First, Second };
template <> struct Words<MoeProduct> {
  static constexpr const char *all[] = {"first", "second"};
};

// Weight rows a workgroup takes.
constexpr uint32_t kMoeGemmTile = 64;

struct MoeGemmSpec {
  WeightType weight = WeightType::F32;
  MoeProduct product = MoeProduct::First;
  MoeEpilogue epilogue;
  bool weighted = false;  // First: x is multiplied by the routing weight; Second: the result is
  uint32_t tileRows = 64; // 8, 16, 32, 64 or (CPU) 128: that of the plan
  bool codes = false;     // as in Gemm.h; not with rows that are weighted
  bool pairs = false;     // the same

  std::string name() const;
  // state r, x r, weight r, plan r, out w [, weights r (f32 [rows, topK])] [, bias r] [, codes r] [, pairs r]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("product", self.product); f("epilogue", self.epilogue);
    f("weighted", self.weighted); f("tile_rows", self.tileRows); f("codes", self.codes);
    f("pairs", self.pairs);
  }
};

struct MoeGemmParams {
  MoePlanLayout layout;
  uint32_t n = 0; // rows of one expert's W (with glu: gate and up together)
  uint32_t k = 0; // columns of W
  Rows x;
  Rows out;
  float alpha = 1.702f, limit = 7.0f; // with a clamped epilogue
  MoePart part;
  uint32_t gridAt = 0; // of this part, in the plan

  std::vector<uint32_t> push() const;
  // {xGroups, most tiles, 1}; xGroups is what the plan needs for the indirect grid.
  std::array<uint32_t, 3> grid(const MoeGemmSpec &spec) const;
  std::string fault(const MoeGemmSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("layout", self.layout); f("n", self.n); f("k", self.k); f("x", self.x); f("out", self.out);
    f("alpha", self.alpha); f("limit", self.limit); f("part", self.part); f("grid_at", self.gridAt);
  }
};

} // namespace xfmr::codegen
