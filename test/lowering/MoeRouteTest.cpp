// The cost model of the two routes of a mixture: values, and the choice around the crossing.
#include "passes/lowering/MoeRoute.h"
#include <gtest/gtest.h>

using namespace xfmr;

TEST(MoeRoute, CostsOfOneToken) {
  MoeCost cost = moeCost(1, 8, 2); // 8 (1 - (7/8)^2) = 1.875 experts read, 0.5 computed, 2 fixed
  EXPECT_DOUBLE_EQ(cost.byId, 2.0);
  EXPECT_DOUBLE_EQ(cost.grouped, 1.875 + 0.5 + 2.0);
}

TEST(MoeRoute, ManyRowsTouchEveryExpertOnce) {
  MoeCost cost = moeCost(4096, 8, 2);
  EXPECT_DOUBLE_EQ(cost.byId, 8192.0);
  EXPECT_NEAR(cost.grouped, 8.0 + 2048.0 + 2.0, 1e-9);
}

// For each shape: by id below the crossing, grouped from it on, and no second crossing.
TEST(MoeRoute, CrossesOnce) {
  struct { uint64_t experts, topK, firstGrouped; } shapes[] = {{8, 2, 6}, {64, 8, 6}, {128, 8, 11}, {512, 10, 33}, {2, 1, 6}};
  for (auto &shape : shapes) {
    uint64_t first = 0;
    for (uint64_t rows = 1; rows <= 4096; ++rows) {
      bool grouped = chooseMoeRoute(MoeRoute::Auto, rows, shape.experts, shape.topK) == MoeRoute::Grouped;
      if (grouped && !first)
        first = rows;
      EXPECT_EQ(grouped, first != 0) << rows << " rows, " << shape.experts << " experts";
    }
    EXPECT_EQ(first, shape.firstGrouped) << shape.experts << " experts, top " << shape.topK;
  }
}

TEST(MoeRoute, MostRowsByIdEndsBeforeTheCrossing) {
  EXPECT_EQ(mostRowsById(256, 8, 2), 5u);
  EXPECT_EQ(mostRowsById(256, 512, 10), 32u);
  EXPECT_EQ(mostRowsById(5, 8, 2), 5u);
  EXPECT_EQ(mostRowsById(4, 8, 2), 4u);
}

TEST(MoeRoute, ForcedRoutesStand) {
  EXPECT_EQ(chooseMoeRoute(MoeRoute::ById, 4096, 8, 2), MoeRoute::ById);
  EXPECT_EQ(chooseMoeRoute(MoeRoute::Grouped, 1, 8, 2), MoeRoute::Grouped);
  EXPECT_EQ(parseMoeRoute("by-id"), MoeRoute::ById);
  EXPECT_EQ(parseMoeRoute("fast"), std::nullopt);
}
