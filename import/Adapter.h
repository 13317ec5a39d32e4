// A low-rank adapter as PEFT writes it (`adapter_config.json` and `adapter_model.safetensors`): for
// some modules of the base model two thin matrices A [r, in] and B [out, r], so that
// y = W x becomes W x + s B (A x) with s = alpha / r, or alpha / sqrt(r) with `use_rslora`.
// Everything that is not this is refused by name. Reference: PEFT's LoRA configuration and layer code.
#pragma once
#include "import/ModulePattern.h"
#include "runtime/artifact/Status.h"
#include "weights/WeightSource.h"
#include <map>
#include <set>
#include <string>

namespace xfmr {

/// One tensor of the adapter's file.
struct AdapterTensor {
  std::string name;
  const TensorView *view = nullptr;
  explicit operator bool() const { return view != nullptr; }
};

/// The branch beside one module.
struct LowRank {
  AdapterTensor a, b, bBias; // [r, in], [out, r], optional [out]
  int64_t rank = 0;
  double scale = 1.0;
};

class Adapter {
public:
  static Status open(const std::string &folder, Adapter &out);

  const std::string &path() const { return source_.path(); }
  /// The branch of a module by its name in the base model, or null. Marks it as used.
  const LowRank *use(const std::string &module);
  /// The first module with a branch that was never used, or empty.
  std::string firstUnused() const;

private:
  Status readConfig(const std::string &path);
  Status collect();

  WeightSource source_;
  std::map<std::string, LowRank> modules_;
  std::set<std::string> used_;
  // adapter_config.json
  int64_t rank_ = 0;
  double alpha_ = 0;
  bool rankStabilised_ = false;
  // What the first pattern that a module's name matches says, in the order of the file.
  std::vector<std::pair<ModulePattern, int64_t>> rankPattern_;
  std::vector<std::pair<ModulePattern, double>> alphaPattern_;
};

} // namespace xfmr
