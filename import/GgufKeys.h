// Typed reading of the metadata of one architecture in a GGUF file, or of what such a file would say. Nothing is believed; the first
// error sticks and names file and key.
#pragma once
#include "runtime/artifact/Gguf.h"
#include <functional>
#include <set>

namespace xfmr {

using GgufMetadata = std::map<std::string, GgufValue>;

class GgufKeys {
public:
  /// Keys are looked up behind `architecture` and a dot; `hasTensor` says which tensors there are.
  GgufKeys(std::string path, const GgufMetadata &metadata, std::function<bool(const std::string &)> hasTensor)
      : path_(std::move(path)), metadata_(metadata), hasTensor_(std::move(hasTensor)) {}
  std::string architecture;
  Status status = Status::success();

  void refuse(const std::string &key, const std::string &what);
  bool has(const std::string &key) { return find(key); }
  bool hasTensor(const std::string &name) const { return hasTensor_(name); }

  /// An integer from 1 to Config::kMaxSize, or a list of equal ones. Without a default the key must be there.
  int64_t size(const std::string &key, std::optional<int64_t> absent = std::nullopt);
  /// The same from 0 on.
  int64_t count(const std::string &key, std::optional<int64_t> absent = std::nullopt);
  double positive(const std::string &key, std::optional<double> absent = std::nullopt);
  bool flag(const std::string &key, bool absent);
  /// Empty where there is none.
  std::string text(const std::string &key);
  /// A list of booleans, one a layer; nothing where the key is absent or no list.
  std::optional<std::vector<bool>> flags(const std::string &key);
  /// tokenizer.ggml.KEY where it is a number from 0 to below `end`.
  std::optional<int64_t> tokenizerNumber(const std::string &key, int64_t end) const;
  /// Keys of the architecture that nothing asked for.
  std::vector<std::string> unread() const;

private:
  const GgufValue *find(const std::string &key);
  int64_t uniform(const std::string &key, const std::vector<GgufValue> &list, int64_t least);
  int64_t integer(const std::string &key, std::optional<int64_t> absent, int64_t least);

  std::string path_;
  const GgufMetadata &metadata_;
  std::function<bool(const std::string &)> hasTensor_;
  std::set<std::string> asked_;
};

} // namespace xfmr
