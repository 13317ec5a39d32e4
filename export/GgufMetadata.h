// What a GGUF file says of a model, read off its ops: sizes, rotations, windows, constants. What no key says is not looked at here: the
// file's own model is compared with this one (Gguf.cpp), and what differs is refused.
#pragma once
#include "dialect/Xfmr.h"
#include "import/GgufFamilies.h"
#include "runtime/artifact/Status.h"
#include <nlohmann/json.hpp>

namespace xfmr::exports {

struct GgufFacts {
  GgufMetadata metadata;
  /// Divisors of the frequencies, tensors without a weight behind them: name, entries.
  std::vector<std::pair<std::string, std::vector<float>>> factors;
  /// Which of the tensors that a model may lack it has, asked for by name.
  std::function<bool(const std::string &)> hasTensor;

  std::vector<double> factorsOf(const std::string &name) const;
};

/// `config` is the base's, for what shapes do not show (latents, lists of divisors). Rotations whose divisors become a tensor
/// take the tensor's numbers in the model too.
Status readFacts(ModelOp model, const GgufFamily &family, const nlohmann::ordered_json &config, GgufFacts &out,
                 std::vector<std::string> &notes);

} // namespace xfmr::exports
