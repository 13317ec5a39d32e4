// One place where weights lie: a safetensors file, a folder with `model.safetensors`, a folder whose
// `model.safetensors.index.json` spreads the tensors over shards, or a GGUF file. Everything is mapped
// and validated when it is opened; no weight is read. Quantised checkpoints show the matrices that their tensors stand for.
#pragma once
#include "runtime/artifact/Safetensors.h"
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xfmr {

class GgufTensors;
class PackedTensors;

class WeightSource {
public:
  /// Opens `path`. A folder may hold `model.safetensors`, its sharded index, or
  /// `adapter_model.safetensors`. A `.json` file stands for a model without weights: every lookup
  /// fails, and hasWeights() is false.
  static Status open(const std::string &path, WeightSource &out);

  const std::string &path() const { return path_; }
  bool hasWeights() const { return !files_.empty() || gguf_; }
  /// Null if there is none.
  const TensorView *find(std::string_view name) const;
  /// File that holds a tensor returned by find(), for messages.
  const std::string &fileOf(const TensorView &tensor) const;
  /// Every tensor, file by file in the order of their bytes.
  void forEach(const std::function<void(const TensorView &)> &visit) const;

private:
  /// `listed` says which tensors of the file count; null: all.
  Status openFile(const std::string &path, const std::function<bool(const std::string &)> &listed = nullptr);
  Status openGguf(const std::string &path);
  /// Of a folder with a configuration: shows the matrices that quantised tensors stand for instead of those.
  Status openPacked(const std::string &configPath);
  Status openIndex(const std::string &folder, const std::string &indexPath);

  std::string path_;
  struct Place {
    const TensorView *tensor;
    const std::string *file; // path
  };
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::shared_ptr<const GgufTensors> gguf_;
  std::shared_ptr<const PackedTensors> packed_;
  std::unordered_map<std::string_view, Place> index_; // names live in the files
};

} // namespace xfmr
