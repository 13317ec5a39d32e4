// Families that only their importer knows: it is asked what a checkpoint of the new shapes would be.
#pragma once
#include "export/Export.h"
#include "export/OutputFolder.h"
#include <nlohmann/json_fwd.hpp>

namespace xfmr::exports {

/// Opens `output` and writes config.json and model.safetensors. The new configuration is imported without weights; the
/// model must then have the same form (SameForm.h), and its weights tell what the named tensors are (Origins.h). So what is
/// written gives the model back when it is imported, whatever the family; what its configuration cannot say is refused.
Status fillByImporter(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                      const nlohmann::ordered_json &config, OutputFolder &output, std::vector<std::string> &notes);

} // namespace xfmr::exports
