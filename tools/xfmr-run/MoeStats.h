// --moe-stats: which experts served which text. The device counts; here the numbers become a file and a table.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::run {

struct MoeLayerStats {
  uint32_t layer = 0;
  std::vector<uint32_t> counts; // [E] how often each expert was chosen
  std::vector<float> weights;   // [E] sums of its routing weights
};

/// What one text asked of every mixture of the model.
struct MoeTextStats {
  std::string name;
  std::vector<MoeLayerStats> layers;
};

/// Reads the statistics of a session. Fails for a model without mixtures.
Status readMoeStats(const ModelHandle &model, const SessionHandle &session, const std::string &name,
                    MoeTextStats &out);

/// Writes {"layers": [{"counts": [...], "mean_weight": [...]}, ...]}, summed over the texts; with several texts
/// also "texts": [{"name", "layers"}, ...]. "-" is standard output. The mean weight of an expert that was never chosen is 0.
Status writeMoeStats(const std::vector<MoeTextStats> &texts, const std::string &path);

/// A table a layer to stdout: the share of each text's choices that went to each expert, in per cent, darker
/// signs for larger shares.
void printMoeTable(const std::vector<MoeTextStats> &texts);

} // namespace xfmr::run
