// Token ↔ id. Tokens are kept once; both directions point at them. Ids mostly follow one another, so they index a table; one that is
// far beyond the number of tokens is kept apart, for a file of a few bytes must not make a table as large as its ids.
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

  /// `count` tokens will come.
  void reserve(size_t count) {
    ids.reserve(count);
    announced = count;
  }

  /// Adds a token; false when the token or the id is taken already. 0 <= id <= kMaxTokenId.
  bool add(std::string_view token, int32_t id);

  /// The id of `token`, or -1.
  int32_t find(std::string_view token) const {
    auto it = ids.find(token);
    return it == ids.end() ? -1 : it->second;
  }

  /// The token of `id`, or null where no token has this id.
  const std::string *token(int32_t id) const;

  /// Largest id + 1.
  int32_t rows() const { return end; }

  /// Calls f(token, id) for every token, in no order.
  template <typename F> void forEach(F f) const {
    for (const auto &[token, id] : ids)
      f(token, id);
  }

  /// Entries of the table of ids, at most kSlack + kSpread a token.
  size_t tableSize() const { return near.size(); }
  static constexpr size_t kSlack = 1024, kSpread = 8;

private:
  std::deque<std::string> storage;
  std::unordered_map<std::string_view, int32_t> ids;
  std::vector<const std::string *> near;                // by id
  std::unordered_map<int32_t, const std::string *> far; // ids beyond what the table may hold
  size_t announced = 0;
  int32_t end = 0; // largest id + 1
};

} // namespace xfmr::tokenizer
