// Families that differ by experts only: what a dense model is written as once it has mixtures.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace xfmr::exports {

/// The family whose checkpoints are those of `family` with experts in place of networks, or an empty name.
std::string familyWithExperts(const std::string &family);

/// The refusal of a family that has none.
Status noFamilyWithExperts(const std::string &family);

/// True where the model has mixtures and its family, by its name, has none.
bool gainedExperts(ModelOp model);

/// Where the model has gained experts, makes the base's configuration one of the family with experts; numbers that follow
/// from the model's shapes come later (NewConfig.h). Refuses families that have no such sibling.
Status setFamilyWithExperts(nlohmann::ordered_json &config, ModelOp model, std::vector<std::string> &notes);

} // namespace xfmr::exports
