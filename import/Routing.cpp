// See Routing.h.
#include "import/Routing.h"

using namespace mlir;

namespace xfmr {

RoutingAttr RoutingRule::attribute(MLIRContext &context) const {
  return RoutingAttr::get(&context, topK, score, scoreAt, norm, llvm::APFloat(normEps), llvm::APFloat(scale), groups,
                          keptGroups, groupScore, capacity ? Overflow::drop : Overflow::none, capacity,
                          llvm::APFloat(0.0), llvm::APFloat(sparsemixerEps), weightOnInput);
}

RoutingRule readDeepseekRouting(Config &config, int64_t experts, int64_t topK, const std::string &absentMethod,
                                const std::string &absentScore, bool absentNorm) {
  RoutingRule rule;
  rule.topK = topK;
  const std::string method = config.text("topk_method", absentMethod);
  const std::string score = config.text("scoring_func", absentScore);
  rule.norm = config.flag("norm_topk_prob", absentNorm);
  rule.scale = config.positive("routed_scaling_factor", 1.0);
  const bool grouped = method == "group_limited_greedy" || method == "noaux_tc";
  if (grouped) {
    rule.groups = config.integer("n_group", 1, 1);
    rule.keptGroups = config.integer("topk_group", 1, 1);
    if (!config.failed() && experts % rule.groups != 0)
      config.refuse("n_group", "is " + std::to_string(rule.groups) + ", expected a divisor of the " +
                                   std::to_string(experts) + " experts");
    if (!config.failed() && rule.keptGroups > rule.groups)
      config.refuse("topk_group", "is " + std::to_string(rule.keptGroups) + ", expected at most n_group (" +
                                      std::to_string(rule.groups) + ")");
    if (!config.failed() && topK > experts / rule.groups * rule.keptGroups)
      config.refuse("topk_group", "keeps " + std::to_string(experts / rule.groups * rule.keptGroups) +
                                      " experts, fewer than num_experts_per_tok (" + std::to_string(topK) + ")");
  } else if (method == "greedy") {
    config.ignore({"n_group", "topk_group"});
  } else {
    config.refuse("topk_method", "is \"" + method + "\", supported: greedy, group_limited_greedy, noaux_tc");
  }
  if (method == "noaux_tc") { // V3: biased choice, groups by their two best
    if (score != "sigmoid")
      config.refuse("scoring_func", "is \"" + score + "\", but noaux_tc routing scores with sigmoid");
    rule.score = ScoreFunction::sigmoid;
    rule.groupScore = rule.groups > 1 ? GroupScore::sum_top2 : GroupScore::max;
    rule.normEps = rule.norm ? 1e-20 : 0;
    if (!config.failed() && rule.groups > 1 && experts / rule.groups < 2)
      config.refuse("n_group", "leaves one expert a group, expected two or more");
  } else {
    if (score != "softmax")
      config.refuse("scoring_func", "is \"" + score + "\", but " + method + " routing scores with softmax");
    if (rule.norm) // DeepSeek's code and the Hugging Face port disagree on it; no released model sets it
      config.refuse("norm_topk_prob", "is true, which " + method + " routing leaves undefined");
  }
  return rule;
}

RoutingRule llama4Routing(int64_t topK) {
  RoutingRule rule;
  rule.topK = topK;
  rule.score = ScoreFunction::sigmoid;
  rule.scoreAt = ScoreAt::post_topk;
  rule.weightOnInput = true;
  return rule;
}

RoutingRule switchRouting(int64_t capacity) {
  RoutingRule rule;
  rule.capacity = capacity;
  return rule;
}

} // namespace xfmr
