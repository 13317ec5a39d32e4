// The merges of a BPE model: (left id, right id) → rank and joined id. Open addressing with linear
// probing: encoding asks it several times a character, mostly in vain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xfmr::tokenizer {

struct Merge {
  uint32_t rank; // its line in `merges`
  int32_t id;    // the joined token
};

class MergeTable {
public:
  explicit MergeTable(size_t expected = 0) {
    size_t capacity = 16;
    while (capacity < expected * 2)
      capacity *= 2;
    slots.resize(capacity);
  }

  /// At most `expected` different pairs; a pair given again takes the new merge.
  void set(int32_t left, int32_t right, Merge merge) {
    uint64_t key = keyOf(left, right);
    size_t i = slotOf(key);
    while (slots[i].key != kEmpty && slots[i].key != key)
      i = (i + 1) & (slots.size() - 1);
    slots[i] = {key, merge};
  }

  /// The merge of two neighbours, or null.
  const Merge *find(int32_t left, int32_t right) const {
    uint64_t key = keyOf(left, right);
    for (size_t i = slotOf(key);; i = (i + 1) & (slots.size() - 1)) {
      if (slots[i].key == key)
        return &slots[i].merge;
      if (slots[i].key == kEmpty)
        return nullptr;
    }
  }

private:
  static constexpr uint64_t kEmpty = ~uint64_t(0); // ids are not negative

  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  static uint64_t keyOf(int32_t left, int32_t right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  }
  size_t slotOf(uint64_t key) const {
    return (key * 0x9E3779B97F4A7C15u >> 32) & (slots.size() - 1); // Fibonacci hashing
  }

  std::vector<Slot> slots; // a power of two, at most half full
};

} // namespace xfmr::tokenizer
