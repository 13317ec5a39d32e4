// What GGUF files say of the families that they know: a table a family with the names of its tensors, and a function that puts the
// metadata into the words of config.json. The family's importer then reads both as if they were its own.
#pragma once
#include "dialect/Xfmr.h"
#include "import/GgufKeys.h"
#include "import/TensorNames.h"
#include <nlohmann/json_fwd.hpp>

namespace xfmr {

/// A row of a table of names: what the family calls a module (or a tensor without .weight and .bias), and what the file does. The
/// first {} stands for the block, a second one for the expert.
struct GgufName {
  const char *name, *stored;
  TensorForm form = TensorForm::same;
};

/// What of a configuration the tables of names depend on.
struct GgufShapes {
  int64_t heads = 0, kvHeads = 0, headDim = 0, experts = 0;
  int64_t keyRows = 0; // of a head of latent attention, without those that turn
};

struct GgufFamily {
  const char *architecture, *modelType;
  /// Puts the metadata into `config`, which has what all families share (readCommon). Refuses what the family cannot be.
  void (*read)(GgufKeys &keys, nlohmann::ordered_json &config);
  llvm::ArrayRef<GgufName> names;
  bool interleaved = false; // rotary rows lie in pairs, where the family has halves
  bool plainNorms = false;  // norms hold 1 + w
};

llvm::ArrayRef<GgufFamily> ggufFamilies();

/// The family of an architecture; several families may share one, then the first whose `read` fits by its metadata. Null, and the error
/// in `keys`, where there is none.
const GgufFamily *ggufFamilyOf(GgufKeys &keys);
/// The row of a `model_type`, or null.
const GgufFamily *ggufFamilyFor(llvm::StringRef modelType);

/// The configuration that the metadata stands for. `vocabSize` where the file does not say; `factors` reads a tensor of divisors.
nlohmann::ordered_json readGgufConfig(const GgufFamily &family, GgufKeys &keys, int64_t vocabSize,
                                      llvm::function_ref<std::vector<double>(const std::string &)> factors);

/// Of such a configuration.
GgufShapes ggufShapes(const nlohmann::ordered_json &config);

class GgufTensorNames : public TensorNames {
public:
  GgufTensorNames(const GgufFamily &family, const GgufShapes &shapes) : family_(family), shapes_(shapes) {}
  std::optional<TensorPlace> find(llvm::StringRef name) const override;

private:
  const GgufFamily &family_;
  GgufShapes shapes_;
};

} // namespace xfmr
