// Barrier placement: each hazard kind, in-place chains, and that the count is the least possible.
#include "runtime/plan/Barriers.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace xfmr::plan;

namespace {

ByteRange bytes(uint32_t buffer, uint64_t begin, uint64_t end) { return {buffer, begin, end}; }

using Flags = std::vector<bool>;

bool conflict(const DispatchAccess &a, const DispatchAccess &b) {
  for (const ByteRange &w : a.writes)
    for (const auto *others : {&b.reads, &b.writes})
      for (const ByteRange &o : *others)
        if (w.buffer == o.buffer && w.begin < o.end && o.begin < w.end)
          return true;
  for (const ByteRange &r : a.reads)
    for (const ByteRange &w : b.writes)
      if (r.buffer == w.buffer && r.begin < w.end && w.begin < r.end)
        return true;
  return false;
}

/// Least number of barriers by dynamic programming over the cuts.
size_t leastBarriers(const std::vector<DispatchAccess> &list) {
  std::vector<size_t> best(list.size() + 1, list.size());
  best[0] = 0;
  for (size_t end = 1; end <= list.size(); ++end)
    for (size_t begin = end; begin-- > 0;) {
      bool clash = false;
      for (size_t j = begin + 1; j < end && !clash; ++j)
        clash = conflict(list[begin], list[j]);
      if (clash)
        break;
      best[end] = std::min(best[end], best[begin] + 1);
    }
  return list.empty() ? 0 : best[list.size()] - 1;
}

TEST(Barriers, ReadAfterWrite) {
  EXPECT_EQ(deriveBarriers({{{}, {bytes(0, 0, 16)}}, {{bytes(0, 0, 16)}, {bytes(1, 0, 4)}}}),
            (Flags{false, true}));
}

TEST(Barriers, WriteAfterRead) {
  EXPECT_EQ(deriveBarriers({{{bytes(0, 0, 16)}, {bytes(1, 0, 4)}}, {{}, {bytes(0, 8, 12)}}}),
            (Flags{false, true}));
}

TEST(Barriers, WriteAfterWrite) {
  EXPECT_EQ(deriveBarriers({{{}, {bytes(0, 0, 16)}}, {{}, {bytes(0, 15, 16)}}}),
            (Flags{false, true}));
}

TEST(Barriers, TouchingRangesAndOtherBuffersDoNotMeet) {
  EXPECT_EQ(deriveBarriers({{{}, {bytes(0, 0, 16)}},
                            {{bytes(0, 16, 32)}, {bytes(1, 0, 16)}},
                            {{bytes(2, 0, 16)}, {bytes(3, 0, 16)}}}),
            (Flags{false, false, false}));
}

TEST(Barriers, SameInPlaceDispatchTwice) {
  DispatchAccess inPlace = {{bytes(0, 0, 16)}, {bytes(0, 0, 16)}};
  EXPECT_EQ(deriveBarriers({inPlace, inPlace, inPlace}), (Flags{false, true, true}));
}

TEST(Barriers, OneBarrierServesSeveralHazards) {
  EXPECT_EQ(deriveBarriers({{{}, {bytes(0, 0, 16)}},
                            {{}, {bytes(1, 0, 16)}},
                            {{bytes(0, 0, 16)}, {bytes(2, 0, 16)}},
                            {{bytes(1, 0, 16)}, {bytes(3, 0, 16)}}}),
            (Flags{false, false, true, false}));
}

TEST(Barriers, LeastOnRandomPrograms) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<DispatchAccess> list(1 + random() % 12);
    for (DispatchAccess &d : list) {
      auto range = [&] {
        uint64_t begin = random() % 24;
        return bytes(random() % 3, begin, begin + 1 + random() % 8);
      };
      for (uint32_t i = random() % 3; i--;)
        d.reads.push_back(range());
      d.writes.push_back(range());
    }
    Flags flags = deriveBarriers(list);
    EXPECT_EQ(static_cast<size_t>(std::count(flags.begin(), flags.end(), true)),
              leastBarriers(list));
    size_t segment = 0;
    for (size_t j = 0; j < list.size(); ++j) {
      if (flags[j])
        segment = j;
      for (size_t i = segment; i < j; ++i)
        EXPECT_FALSE(conflict(list[i], list[j])) << "round " << round;
    }
  }
}

} // namespace
