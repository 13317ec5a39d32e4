// Typed reading of a Hugging Face `config.json`. Nothing is believed: every getter checks kind and
// range and names the key. The first error sticks, so that an importer reads everything it needs and
// asks once.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace xfmr {

class Config {
public:
  /// Above any real dimension, and small enough that three of them multiply within 64 bits once a
  /// weight's element count is checked.
  static constexpr int64_t kMaxSize = 1 << 24;

  /// Reads the file. Numbers that JSON cannot hold (NaN, Infinity, 1e999) are refused with their key.
  static Status read(const std::string &path, Config &out);

  /// One that no file holds; `path` is what messages call it.
  static Config of(const nlohmann::ordered_json &document, const std::string &path);

  /// Present and not null.
  bool has(const std::string &key) const;
  /// Present, if only as null: a family whose class has a default takes it where the key is absent, and not where it is null.
  bool mentions(const std::string &key) const;
  /// The first of several spellings of a key that is present and not null; the first one if none is.
  std::string firstOf(const std::vector<std::string> &keys) const;

  /// An integer in [1, kMaxSize]. Without a default the key must be there.
  int64_t size(const std::string &key, std::optional<int64_t> absent = std::nullopt);
  /// A number of layers: an integer in [1, 65536].
  int64_t layers(const std::string &key, std::optional<int64_t> absent = std::nullopt);
  /// An integer in [low, 2^31 - 1].
  int64_t integer(const std::string &key, int64_t low, std::optional<int64_t> absent);
  /// A finite number above zero.
  double positive(const std::string &key, std::optional<double> absent = std::nullopt);
  /// A finite number.
  double number(const std::string &key, std::optional<double> absent = std::nullopt);
  bool flag(const std::string &key, bool absent);
  std::string text(const std::string &key, std::optional<std::string> absent = std::nullopt);
  /// Lists; empty when absent.
  std::vector<int64_t> integers(const std::string &key);
  std::vector<double> numbers(const std::string &key);
  std::vector<std::string> texts(const std::string &key);
  /// A list of [list of strings, how often], written out: [[["a", "b"], 2]] is a b a b. Empty when absent.
  std::vector<std::string> repeatedTexts(const std::string &key);
  /// One id or a list of ids, as `eos_token_id` is written; empty when absent.
  std::vector<int64_t> tokenIds(const std::string &key);
  /// A nested object; empty when absent. Errors inside it belong to this configuration too.
  Config object(const std::string &key);
  /// The same with what it lacks: first from this configuration, the keys `inherited`, then from `defaults`, JSON text of an object.
  Config object(const std::string &key, const std::vector<std::string> &inherited, const char *defaults);
  bool isObject(const std::string &key) const;
  bool isText(const std::string &key) const;
  /// An empty list or object, or false.
  bool isEmpty(const std::string &key) const;
  std::vector<std::string> keys() const;

  /// Keys that nothing asked for so far, in the order of the file; those inside an object that was asked for as
  /// "rope_scaling.beta". Without those that are null or that ignore() named.
  std::vector<std::string> unread() const;
  /// Keys that change no number, or none here.
  void ignore(const std::vector<std::string> &keys);

  /// Records "config PATH: KEY …" unless an error was recorded before.
  void refuse(const std::string &key, const std::string &what);
  /// The first error.
  Status status() const;
  bool failed() const { return status().failed(); }

private:
  struct Shared;
  const nlohmann::ordered_json *find(const std::string &key) const;
  template <typename T, typename Take>
  T value(const std::string &key, const char *expected, std::optional<T> absent, Take take);

  std::shared_ptr<Shared> shared_; // the document, its path and the first error
  const nlohmann::ordered_json *node_ = nullptr;
  std::string prefix_; // "rope_scaling." inside that object
};

} // namespace xfmr
