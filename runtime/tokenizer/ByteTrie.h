// A set of strings with ids, searched for those that begin at a place in a text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xfmr::tokenizer {

class ByteTrie {
public:
  ByteTrie() { root.fill(-1); }

  /// `value` >= 0. A string added twice keeps the later value.
  void add(std::string_view text, int32_t value) {
    int32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      auto byte = static_cast<unsigned char>(text[i]);
      int32_t next = child(node, byte);
      if (next < 0) {
        next = static_cast<int32_t>(values.size());
        values.push_back(-1);
        if (node == 0)
          root[byte] = next;
        else
          edges.emplace(static_cast<uint64_t>(node) << 8 | byte, next);
      }
      node = next;
    }
    values[node] = value;
  }

  /// Calls found(length, value) for every string that begins at text[offset], shortest first.
  template <typename Found>
  void prefixesAt(std::string_view text, size_t offset, Found found) const {
    int32_t node = 0;
    for (size_t i = offset; i < text.size(); ++i) {
      node = child(node, static_cast<unsigned char>(text[i]));
      if (node < 0)
        return;
      if (values[node] >= 0)
        found(i + 1 - offset, values[node]);
    }
  }

private:
  int32_t child(int32_t node, unsigned char byte) const {
    if (node == 0)
      return root[byte];
    auto it = edges.find(static_cast<uint64_t>(node) << 8 | byte);
    return it == edges.end() ? -1 : it->second;
  }

  std::array<int32_t, 256> root;
  std::unordered_map<uint64_t, int32_t> edges; // by (node, byte)
  std::vector<int32_t> values{-1};             // by node
};

} // namespace xfmr::tokenizer
