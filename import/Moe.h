// Building `xfmr.moe` from checkpoints: experts stored one tensor each become stacked weights, and
// adapters on experts become low-rank branches inside the expert region.
#pragma once
#include "import/Decoder.h"

namespace xfmr {

/// Reads the number of experts and of experts a token, and checks k <= E.
struct ExpertCounts {
  int64_t experts = 0, topK = 0;
};
ExpertCounts readExpertCounts(Config &config, const std::vector<std::string> &expertKeys,
                              const std::vector<std::string> &topKKeys = {"num_experts_per_tok"});

/// A routing attribute with everything but these at its default.
RoutingAttr softmaxRouting(mlir::MLIRContext &context, int64_t topK, bool normTopK,
                           double scale = 1.0);

/// The linear layers of one projection over all experts.
struct StackedLinear {
  mlir::Value weight;     // [E, out, in]
  mlir::Value bias;       // [E, out] or null
  mlir::Value a, b;       // adapter [E, r, in], [E, out, r], or null
  double adapterScale = 1.0;
};

/// MODULES[e].weight [out, in] of every expert, stacked, with their adapters.
StackedLinear stackLinears(ModelBuilder &m, const std::vector<std::string> &modules, int64_t out,
                           int64_t in);

/// Names of the experts' modules: PREFIX.e.NAME.
std::vector<std::string> expertModules(const std::string &prefix, int64_t experts,
                                       const std::string &name);

struct Router {
  mlir::Value weight; // [E, D]
  mlir::Value bias, selectionBias; // [E] or null
};

/// MODULE.weight [E, D]; an adapter on it is folded into the weight, for the router is an operand.
Router readRouter(ModelBuilder &m, const std::string &module, int64_t experts, int64_t width);

/// `xfmr.moe` over projections; `body` computes one expert with apply(i, x) for projection i.
using ApplyProjection = llvm::function_ref<mlir::Value(size_t, mlir::Value)>;
mlir::Value mixture(ModelBuilder &m, mlir::Value x, const Router &router, RoutingAttr routing,
                    llvm::ArrayRef<StackedLinear> projections,
                    llvm::function_ref<mlir::Value(mlir::Value batch, ApplyProjection apply)> body);

/// The usual experts down(act(gate(x)) * up(x)) with modules PREFIX.e.{gate,up,down}, or all in one tensor each,
/// PREFIX.gate_up_proj and PREFIX.down_proj.
struct GatedExpertNames {
  const char *gate, *up, *down;
  /// The family's own files have the one tensors, as [E, D, 2F] and [E, F, D].
  bool together = false;
};
mlir::Value gatedMixture(ModelBuilder &m, mlir::Value x, const Router &router, RoutingAttr routing,
                         const std::string &prefix, const GatedExpertNames &names, int64_t experts,
                         int64_t width, ActivationKind activation);

} // namespace xfmr
