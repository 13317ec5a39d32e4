// Routing rules as configurations spell them, for families whose rule is more than a softmax.
#pragma once
#include "import/Config.h"
#include "dialect/Xfmr.h"

namespace xfmr {

/// A routing rule under construction; the fields are those of `#xfmr.routing` (dialect/ops/Moe.td).
struct RoutingRule {
  int64_t topK = 1;
  ScoreFunction score = ScoreFunction::softmax;
  ScoreAt scoreAt = ScoreAt::pre_topk;
  bool norm = false;
  double normEps = 0;
  double scale = 1;
  int64_t groups = 1, keptGroups = 1;
  GroupScore groupScore = GroupScore::max;
  int64_t capacity = 0; // 0: none; otherwise later tokens are dropped
  double sparsemixerEps = 0;
  bool weightOnInput = false;

  RoutingAttr attribute(mlir::MLIRContext &context) const;
};

// The routing of families, from their configurations alone. Errors stick to `config`.
/// DeepSeek V2 (`greedy`, `group_limited_greedy`) and V3 (`noaux_tc`), by `topk_method`; the last three
/// say what a configuration without `topk_method`, `scoring_func` and `norm_topk_prob` means.
RoutingRule readDeepseekRouting(Config &config, int64_t experts, int64_t topK, const std::string &absentMethod,
                                const std::string &absentScore, bool absentNorm);
/// Llama 4: a sigmoid on the chosen logits, applied to the expert's input.
RoutingRule llama4Routing(int64_t topK);
/// Switch: one expert, its probability as the weight, tokens beyond the capacity dropped.
RoutingRule switchRouting(int64_t capacity);

} // namespace xfmr
