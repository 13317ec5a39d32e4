// moe_plan by itself, on choices that are given: plans by their definition, counts and sums of weights over rows and experts that
// fill neither the invocations of a workgroup nor their shares, all in one expert and none in most.
#include "passes/codegen/Choice.h"
#include "passes/witness/Plan.h"
#include "test/codegen/KernelTest.h"
#include <algorithm>

namespace xfmr::codegen::test {
namespace {

class PlanKernel : public KernelTest {
protected:
  // Choices [rows, topK] of different experts each; `few` of the experts get them all if that is not 0.
  std::vector<uint32_t> choices(uint32_t rows, uint32_t topK, uint32_t experts, uint32_t few = 0) {
    std::vector<uint32_t> result;
    const uint32_t among = few ? std::min(experts, std::max(few, topK)) : experts, step = experts / among;
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t first = static_cast<uint32_t>(uniform(0, 1) * static_cast<float>(among)) % among;
      for (uint32_t slot = 0; slot < topK; ++slot)
        result.push_back((first + slot) % among * step + step - 1);
    }
    return result;
  }

  // Three dispatches: the second counts the same again, the third anew, with the bits of the first.
  void check(uint32_t rows, uint32_t topK, uint32_t experts, uint32_t few = 0, uint32_t capacity = 0) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << topK << " of " << experts << " experts, few " << few << ", capacity "
                                    << capacity);
    MoePlanSpec spec;
    spec.stats = true, spec.drop = capacity > 0;
    MoePlanParams p;
    p.layout.experts = experts, p.layout.topK = topK, p.layout.maxRows = rows + 3;
    p.layout.tileRows = moeTileRows(p.layout.maxEntries(), experts);
    p.xGroups0 = 3, p.xGroups1 = 5, p.capacity = capacity;
    const std::vector<uint32_t> chosen = choices(rows, topK, experts, few);
    std::vector<uint32_t> counts(experts), kept = chosen;
    std::vector<double> sums(experts);
    std::vector<float> weightOf;
    for (size_t entry = 0; entry < chosen.size(); ++entry) {
      weightOf.push_back(uniform(0, 1));
      sums[chosen[entry]] += weightOf.back();
      if (counts[chosen[entry]]++ >= capacity && spec.drop)
        kept[entry] = kDroppedExpert;
    }
    const witness::Plan expected = witness::planOf(p.layout, kept, p.xGroups0, p.xGroups1);
    TestBuffer *stats = ids(std::vector<uint32_t>(2 * experts)), *plan = bytes(p.layout.words() * 4);
    std::vector<uint32_t> first;
    for (uint32_t times : {1u, 2u, 1u}) {
      if (times == 1)
        std::memset(stats->as<void>(), 0, stats->bytes);
      TestBuffer *id = ids(chosen), *weights = vector(weightOf);
      std::vector<TestBuffer *> bound = {state(0, rows, rows), id, plan, weights, stats};
      if (spec.drop)
        bound.push_back(bytes(size_t(p.layout.maxEntries()) * 4));
      std::memset(plan->as<void>(), 0xaa, plan->bytes);
      run(spec, p, bound);
      const uint32_t *words = plan->as<uint32_t>(), *found = stats->as<uint32_t>();
      for (const auto &[at, part] : expected.parts) {
        const std::vector<uint32_t> &wanted = at == MoePlanLayout::kCounts ? counts : part;
        ASSERT_TRUE(std::equal(wanted.begin(), wanted.end(), words + at)) << "words from " << at;
      }
      for (uint32_t e = 0; e < experts; ++e) {
        ASSERT_EQ(found[e], times * counts[e]) << "expert " << e;
        // So many additions in any order: each rounds by at most 2^-24 of a sum that is at most the whole.
        const double whole = times * sums[e], additions = times * counts[e];
        ASSERT_NEAR(stats->as<float>()[experts + e], whole, additions * 0x1p-24 * whole) << "expert " << e;
      }
      for (size_t entry = 0; entry < chosen.size(); ++entry) {
        ASSERT_EQ(id->as<uint32_t>()[entry], kept[entry]) << "entry " << entry;
        ASSERT_EQ(weights->as<float>()[entry], kept[entry] == kDroppedExpert ? 0 : weightOf[entry]) << "entry " << entry;
      }
      if (first.empty())
        first.assign(found, found + 2 * experts);
      ASSERT_TRUE(times == 2 || std::equal(first.begin(), first.end(), found)) << "other bits";
    }
    releaseBuffers();
  }
};

// Numbers of experts around those for which an invocation more or less goes to each: 16, 8, 4, 2, 1 and fewer than 1.
TEST_P(PlanKernel, StatisticsOverAllShapes) {
  for (uint32_t experts : {1u, 2u, 3u, 8u, 9u, 16u, 17u, 31u, 33u, 60u, 64u, 65u, 128u, 129u, 300u, 512u})
    for (uint32_t rows : {1u, 5u, 64u, 131u})
      for (uint32_t topK : {1u, std::min(experts, 3u), std::min(experts, 8u)})
        check(rows, topK, experts);
}

TEST_P(PlanKernel, StatisticsOfOneFullExpert) {
  for (uint32_t experts : {1u, 8u, 17u, 128u, 512u})
    for (uint32_t rows : {127u, 1000u})
      check(rows, 1, experts, 1);
}

// What is dropped is counted, and its weight summed up before it becomes zero.
TEST_P(PlanKernel, StatisticsBeforeDrops) {
  for (uint32_t experts : {1u, 3u, 8u, 17u, 64u, 129u})
    for (uint32_t rows : {1u, 61u, 130u})
      for (uint32_t capacity : {1u, 7u, 1000u})
        check(rows, std::min(experts, 2u), experts, 3 * (capacity % 2), capacity);
}

XFMR_ON_EVERY_TARGET(PlanKernel);

} // namespace
} // namespace xfmr::codegen::test
