// Token ↔ id. Tokens are kept once; both directions point at them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xfmr::tokenizer {

class Vocabulary {
public:
  Vocabulary() = default;
  Vocabulary(const Vocabulary &) = delete;
  Vocabulary &operator=(const Vocabulary &) = delete;

  void reserve(size_t count) { ids.reserve(count); }

  /// Adds a token; false when the token or the id is taken already. 0 <= id <= kMaxTokenId.
  bool add(std::string_view token, int32_t id);

  /// The id of `token`, or -1.
  int32_t find(std::string_view token) const {
    auto it = ids.find(token);
    return it == ids.end() ? -1 : it->second;
  }

  /// The token of `id`, or null where no token has this id.
  const std::string *token(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < tokens.size() ? tokens[id] : nullptr;
  }

  /// Largest id + 1.
  int32_t rows() const { return static_cast<int32_t>(tokens.size()); }

  /// Calls f(token, id) for every token, in no order.
  template <typename F> void forEach(F f) const {
    for (const auto &[token, id] : ids)
      f(token, id);
  }

private:
  std::deque<std::string> storage;
  std::unordered_map<std::string_view, int32_t> ids;
  std::vector<const std::string *> tokens;
};

} // namespace xfmr::tokenizer
