// moe_router: for each row t < count, from x[t] to experts and weights in one dispatch:
//   n = x, or rms_norm(x), which is also written out;  z = W n + router_bias
//   scores, groups, top-k, weights as #xfmr.routing says (dialect/ops/Moe.td)
// Equal scores go to the lowest expert. A NaN logit sorts behind everything and counts as -3e38, infinite ones
// as +-3e38, so ids are always valid and weights finite.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class MoeScore : uint8_t { Softmax, Sigmoid, SqrtSoftplus, None, Sparsemixer };
template <> struct Words<MoeScore> {
  static constexpr const char *all[] = {"softmax", "sigmoid", "sqrt_softplus", "none", "sparsemixer"};
};

constexpr uint32_t kMaxExperts = 512, kMaxTopK = 16;
constexpr uint32_t kRouterExperts = 16; // of a workgroup, where they are spread

struct MoeRouterSpec {
  WeightType weight = WeightType::F32;
  uint32_t experts = 0; // 1 .. kMaxExperts
  uint32_t topK = 0;    // 1 .. kMaxTopK
  MoeScore score = MoeScore::Softmax;
  bool postTopK = false; // the score function over the chosen logits only
  bool norm = false;     // weights divided by (their sum + normEps)
  uint32_t groups = 1, keptGroups = 1;
  bool sumTop2 = false; // a group's score: the sum of its two best, else its best
  bool routerBias = false, selectionBias = false;
  bool rmsNorm = false;
  bool unitOffset = false;    // with rmsNorm: g is 1 + stored weight
  uint32_t rowsPerGroup = 1;  // rows a workgroup takes: more reuse the router's weight (routerRows in Choice.h)
  bool stats = false;         // counts and weight sums of the chosen experts; only for phases of one row
  bool spread = false;        // of one row: each workgroup has kRouterExperts experts, and the last one to be done chooses; only Vulkan

  std::string name() const;
  // state r, x r, weight r (W [experts, k]), ids w (u32 [rows, topK]), weights w (f32 [rows, topK])
  // [, router_bias r] [, selection_bias r] [, norm r, normed rw] [, stats rw (u32 [E], then f32 [E])]
  // [, logits rw (f32 [E]), done rw (u32, zero before and after)]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("experts", self.experts); f("top_k", self.topK);
    f("score", self.score); f("post_topk", self.postTopK); f("norm", self.norm);
    f("groups", self.groups); f("kept_groups", self.keptGroups); f("sum_top2", self.sumTop2);
    f("router_bias", self.routerBias); f("selection_bias", self.selectionBias);
    f("rms_norm", self.rmsNorm); f("unit_offset", self.unitOffset);
    f("rows_per_group", self.rowsPerGroup); f("stats", self.stats);
    f("spread", self.spread);
  }
};

struct MoeRouterParams {
  uint32_t k = 0; // hidden size
  uint32_t maxRows = 0;
  Rows x;
  Rows normed; // with rmsNorm
  float eps = 1e-6f;
  float normEps = 0.0f;
  float scale = 1.0f;
  float mixerEps = 0.0f;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const MoeRouterSpec &spec) const;
  std::string fault(const MoeRouterSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("k", self.k); f("max_rows", self.maxRows); f("x", self.x); f("normed", self.normed);
    f("eps", self.eps); f("norm_eps", self.normEps); f("scale", self.scale);
    f("mixer_eps", self.mixerEps);
  }
};

} // namespace xfmr::codegen
