// Typed, path-aware reading of tokenizer.json: every getter checks kind and range and, on failure,
// leaves an error that names the member ("pre_tokenizer.pretokenizers[0].behavior: …").
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace xfmr::tokenizer {

/// Largest id accepted: more than any published vocabulary has.
inline constexpr int64_t kMaxTokenId = (1 << 24) - 1;

/// Steps of a normalizer, a pre-tokenizer, a post-processor or a decoder; published ones have up to a dozen.
inline constexpr size_t kMaxSteps = 64;

/// The most bytes that the steps may make of a text or token of `size`. U+FDFA in NFKC, the most that published ones do, is 11 times
/// as long; without an end "a" that becomes "aa" is a gigabyte after thirty steps.
inline constexpr size_t mostBytes(size_t size) {
  return 64 * size + 1024;
}

/// One JSON value with its path. Borrowed: value and error must outlive it.
class JsonView {
public:
  JsonView(const nlohmann::json &value, std::string path, std::string &error, int depth = 0)
      : value(&value), path(std::move(path)), error(&error), depth(depth) {}

  const nlohmann::json &json() const { return *value; }
  bool isNull() const { return value->is_null(); }
  bool isObject() const { return value->is_object(); }
  bool isArray() const { return value->is_array(); }
  bool isString() const { return value->is_string(); }
  size_t size() const { return value->size(); }

  /// Sets the error to "path: what" and returns false.
  bool fail(const std::string &what) const;

  bool requireObject() const;
  bool requireArray() const;
  /// Refuses files nested deeper than any real one, before recursion can exhaust the stack.
  bool requireShallow() const;
  /// This value is a step behind `before` others: refuses more than kMaxSteps.
  bool requireFew(size_t before) const;

  bool has(const char *key) const;
  /// A member or an element; null where there is none.
  JsonView operator[](const std::string &key) const;
  JsonView at(size_t index) const;

  /// This value as a string.
  bool asString(std::string &out) const;
  /// This value as a token id in [0, kMaxTokenId].
  bool asId(int32_t &out) const;

  /// Members. Without a fallback, missing or null is an error.
  bool getString(const char *key, std::string &out) const;
  bool getString(const char *key, std::string &out, const std::string &fallback) const;
  bool getBool(const char *key, bool &out, bool fallback) const;
  bool getCount(const char *key, size_t &out, size_t fallback) const; // 0 … 2^31 - 1
  bool getId(const char *key, int32_t &out) const;
  /// The `type` member, the discriminator of every component.
  bool getType(std::string &out) const { return requireObject() && getString("type", out); }

private:
  const nlohmann::json *value;
  std::string path;
  std::string *error;
  int depth;
};

} // namespace xfmr::tokenizer
