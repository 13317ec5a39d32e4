// moe_gemv: the two products of the by-id route, for few rows: no order, no plan, an expert's weight is read
// for each row that chose it.
//   First:  out[t * topK + i] = epilogue(W_e x[t])                                   e = ids[t, i]
//   Second: out[t] = sum over i in order of w_i epilogue(W_e x[t * topK + i]) + terms
#pragma once
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/MoeExpert.h"
#include "passes/codegen/MoeGemm.h"

namespace xfmr::codegen {

// Blocks of four weight rows a workgroup takes.
constexpr uint32_t kMoeGemvBlocks = 8;

struct MoeGemvSpec {
  WeightType weight = WeightType::F32;
  MoeProduct product = MoeProduct::First;
  MoeEpilogue epilogue; // of Second: bias only
  bool weighted = false; // First: x is multiplied by the routing weight; Second: each expert's result is
  MoeTerms terms;       // of Second
  bool codes = false;   // as in Gemv.h; not with rows that are weighted

  std::string name() const;
  // state r, x r, weight r, ids r, out w [, weights r] [, bias r] then the terms' [, codes r]. `residual` may be `out`.
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("product", self.product); f("epilogue", self.epilogue);
    f("weighted", self.weighted); f("terms", self.terms); f("codes", self.codes);
  }
};

struct MoeGemvParams {
  uint32_t n = 0; // rows of one expert's W
  uint32_t k = 0; // columns of W
  uint32_t topK = 0;
  uint32_t maxRows = 0;
  Rows x, out;
  float alpha = 1.702f, limit = 7.0f;
  MoePart part; // parts of Second after the first take what is there as their only term: the residual, `out` itself
  MoeTermRows terms; // of Second, which then has no clamped epilogue

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const MoeGemvSpec &spec) const;
  std::string fault(const MoeGemvSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("n", self.n); f("k", self.k); f("top_k", self.topK); f("max_rows", self.maxRows);
    f("x", self.x); f("out", self.out); f("alpha", self.alpha); f("limit", self.limit);
    f("part", self.part); f("terms", self.terms);
  }
};

} // namespace xfmr::codegen
