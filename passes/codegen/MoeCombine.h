// moe_combine: the end of the grouped route, for rows t < count:
//   out[t] = sum over slots in order of parts[t * topK + slot] (+ shared[t]) (+ residual[t])
// Slots whose id is kDroppedExpert count nothing. With sharedGate, shared[t] is times sigmoid(gate[t]).
#pragma once
#include "passes/codegen/MoePlan.h"

namespace xfmr::codegen {

// What joins the routed sum, in this order. Also of the by-id route (MoeGemv.h).
struct MoeTerms {
  bool shared = false;
  bool sharedGate = false; // with shared: column 0 of `gate` is the logit of the shared expert's gate
  bool residual = false;

  std::string suffix() const;
  std::string fault() const;
  // [, shared r] [, gate r] [, residual r]
  void appendBindings(std::vector<Binding> &bindings) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("shared", self.shared); f("shared_gate", self.sharedGate); f("residual", self.residual);
  }
};

struct MoeTermRows {
  Rows shared, gate, residual;

  void push(std::vector<uint32_t> &words) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("shared", self.shared); f("gate", self.gate); f("residual", self.residual);
  }
};

struct MoeCombineSpec {
  MoeTerms terms;
  bool drop = false;

  std::string name() const;
  // state r, parts r, out w [, ids r (with drop)] then the terms'. `residual` may be `out` itself.
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("terms", self.terms); f("drop", self.drop);
  }
};

struct MoeCombineParams {
  uint32_t width = 0; // hidden size
  uint32_t topK = 0;
  uint32_t maxRows = 0;
  Rows parts, out;
  MoeTermRows terms;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const MoeCombineSpec &spec) const;
  std::string fault(const MoeCombineSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("top_k", self.topK); f("max_rows", self.maxRows);
    f("parts", self.parts); f("out", self.out); f("terms", self.terms);
  }
};

} // namespace xfmr::codegen
