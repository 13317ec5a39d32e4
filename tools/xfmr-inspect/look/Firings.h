// The rows at which each of many channels fires most, kept as rows come.
#pragma once

#include "tools/xfmr-inspect/look/Look.h"

namespace xfmr::inspect {

class Firings {
public:
  Firings() = default;
  Firings(int64_t channels, int64_t top) : top_(top), kept_(channels * top, {-1, 0.0f}), least_(channels, 0) {}

  /// h [width] of channels first … at a row; rows come in any order, equal ones stay behind earlier ones.
  template <typename Values> void add(const Values &h, int64_t first, int64_t row) {
    for (int64_t i = 0; i < h.size(); ++i)
      if (std::abs(h[i]) > least_[first + i])
        insert(first + i, {row, h[i]});
  }

  /// The largest |h| first; fewer where it was seldom other than 0.
  std::vector<RowValue> of(int64_t channel) const {
    std::vector<RowValue> out(kept_.begin() + channel * top_, kept_.begin() + (channel + 1) * top_);
    llvm::erase_if(out, [](const RowValue &entry) { return entry.row < 0; });
    return out;
  }

private:
  void insert(int64_t channel, RowValue entry) {
    RowValue *begin = kept_.data() + channel * top_, *at = begin + top_ - 1;
    for (; at > begin && ((at - 1)->row < 0 || std::abs((at - 1)->value) < std::abs(entry.value)); --at)
      *at = *(at - 1);
    *at = entry;
    least_[channel] = std::abs(begin[top_ - 1].value);
  }

  int64_t top_ = 0;
  std::vector<RowValue> kept_; // [channels, top]
  std::vector<float> least_;   // [channels]: what a row must surpass
};

} // namespace xfmr::inspect
