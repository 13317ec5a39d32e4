// See MixtureFamily.h. Keys and defaults are those of Hugging Face's configurations.
#include "export/MixtureFamily.h"

using nlohmann::ordered_json;

namespace xfmr::exports {

namespace {

struct Sibling {
  const char *dense, *sparse, *architecture;
  const char *experts; // key of their number
  bool ownWidth;       // experts have a width beside that of dense layers
};

constexpr Sibling kSiblings[] = {
    {"llama", "mixtral", "MixtralForCausalLM", "num_local_experts", false},
    {"mistral", "mixtral", "MixtralForCausalLM", "num_local_experts", false},
    {"granite", "granitemoe", "GraniteMoeForCausalLM", "num_local_experts", false},
    {"qwen3", "qwen3_moe", "Qwen3MoeForCausalLM", "num_experts", true},
};

const Sibling *siblingOf(llvm::StringRef family) {
  for (const Sibling &sibling : kSiblings)
    if (family == sibling.dense)
      return &sibling;
  return nullptr;
}

// Families whose checkpoints never have experts, as far as they can be imported.
bool isDense(llvm::StringRef family) {
  static constexpr llvm::StringLiteral kDense[] = {"gemma",    "gemma2", "gemma3_text", "gpt2",
                                                   "gpt_neox", "olmo2",  "phi3",        "qwen2"};
  return siblingOf(family) || llvm::is_contained(kDense, family);
}

} // namespace

std::string familyWithExperts(const std::string &family) {
  const Sibling *sibling = siblingOf(family);
  return sibling ? sibling->sparse : "";
}

Status noFamilyWithExperts(const std::string &family) {
  std::string names;
  for (const Sibling &sibling : kSiblings)
    names += (names.empty() ? "" : ", ") + std::string(sibling.dense) + " as " + sibling.sparse;
  return Status::error("the model has mixtures of experts, which checkpoints of the family \"" + family +
                       "\" cannot hold; written are " + names);
}

bool gainedExperts(ModelOp model) {
  bool mixtures = false;
  model.getBody().walk([&](MoeOp) { mixtures = true; });
  return mixtures && isDense(model.getConfig().getArchitecture());
}

Status setFamilyWithExperts(ordered_json &config, ModelOp model, std::vector<std::string> &notes) {
  if (!gainedExperts(model))
    return Status::success();
  const std::string family = model.getConfig().getArchitecture().str();
  const Sibling *sibling = siblingOf(family);
  if (!sibling)
    return noFamilyWithExperts(family);
  config["model_type"] = sibling->sparse;
  config["architectures"] = {sibling->architecture};
  config[sibling->experts] = 0; // set from the model
  config["num_experts_per_tok"] = 0;
  if (sibling->ownWidth) {
    config["moe_intermediate_size"] = 0;
    config["norm_topk_prob"] = true;
  }
  // The families' defaults differ.
  if (!config.contains("rope_theta") && !config.contains("rope_parameters"))
    model.getBody().walk([&](RopeOp rope) { config["rope_theta"] = rope.getTheta().convertToDouble(); });
  notes.push_back("the family \"" + family + "\" has no experts: written as \"" + sibling->sparse + "\"");
  return Status::success();
}

} // namespace xfmr::exports
