// A configuration for what a model has become.
#pragma once
#include "dialect/Xfmr.h"
#include "export/Export.h"
#include <nlohmann/json.hpp>

namespace xfmr::exports {

/// `config` with the model's numbers: layers, heads, widths, experts, windows, under the keys that the family uses. Shapes
/// that differ between blocks are those of the first; whether that is the model, the caller has to see.
nlohmann::ordered_json newConfig(nlohmann::ordered_json config, ModelOp model);

/// Reads FOLDER/config.json and checks that it is of the model's family.
Status readBaseConfig(const std::string &folder, const std::string &family, nlohmann::ordered_json &out);

/// Writes it as a file that appears whole or not at all.
Status writeConfigFile(const nlohmann::ordered_json &config, const std::string &path);

/// Sets the key of the element type.
void setElementType(nlohmann::ordered_json &config, ElementType type);

} // namespace xfmr::exports
