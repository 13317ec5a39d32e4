// A configuration for what a model has become.
#pragma once
#include "dialect/Xfmr.h"
#include "export/Export.h"
#include "export/Uniform.h"
#include <nlohmann/json.hpp>

namespace xfmr::exports {

/// `config` with the model's numbers: layers, heads, widths, experts, windows, under the keys that the family uses. Shapes
/// that differ between blocks are those of the first; whether that is the model, the caller has to see.
nlohmann::ordered_json newConfig(nlohmann::ordered_json config, ModelOp model);

/// What the model's family has no keys for.
FixedShapes fixedShapes(const nlohmann::ordered_json &config, ModelOp model);

/// Keys for parts that `model` has and `imported`, the family's model of `config`, has not, or the other way round: biases of
/// attention and networks, a head of its own. Whether any was set; a family may know no such key.
bool setOptionalParts(nlohmann::ordered_json &config, ModelOp imported, ModelOp model);

/// Which linear layers of a model have biases: queries, keys and values; what follows attention; networks outside of mixtures.
struct ModelBiases {
  bool projections = false, output = false, network = false;
};
ModelBiases biasesOf(ModelOp model);

/// The head reads the embedding's table.
bool isTied(ModelOp model);

/// Reads FOLDER/config.json and checks that it is of the model's family.
Status readBaseConfig(const std::string &folder, const std::string &family, nlohmann::ordered_json &out);

/// Writes it as a file that appears whole or not at all.
Status writeConfigFile(const nlohmann::ordered_json &config, const std::string &path);

/// Sets the key of the element type.
void setElementType(nlohmann::ordered_json &config, ElementType type);

} // namespace xfmr::exports
