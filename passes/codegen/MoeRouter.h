// moe_router: for each row t < count, from x[t] to experts and weights in one dispatch:
//   n = x, or rms_norm(x), which is also written out;  z = W n + router_bias
//   scores, groups, top-k, weights as #xfmr.routing says (dialect/ops/Moe.td)
// Equal scores go to the lowest expert. A NaN logit sorts behind everything and counts as -3e38, infinite ones
// as +-3e38, so ids are always valid and weights finite.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class MoeScore : uint8_t { Softmax, Sigmoid, SqrtSoftplus, None, Sparsemixer };

constexpr uint32_t kMaxExperts = 512, kMaxTopK = 16;

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
  uint32_t rowsPerGroup = 1;  // rows a workgroup takes: more reuse the router's weight (see routerRows)
  bool stats = false;         // counts and weight sums of the chosen experts; only for phases of one row

  std::string name() const;
  // state r, x r, weight r (W [experts, k]), ids w (u32 [rows, topK]), weights w (f32 [rows, topK])
  // [, router_bias r] [, selection_bias r] [, norm r, normed rw] [, stats rw (u32 [E], then f32 [E])]
  std::vector<Binding> bindings() const;
};

// The rows a workgroup of a phase of maxRows should take, so that the tables of E experts fit.
uint32_t routerRows(uint32_t experts, uint32_t maxRows);

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
};

llvm::Expected<CompiledKernel> compile(mlir::MLIRContext &context, const MoeRouterSpec &spec);

} // namespace xfmr::codegen
