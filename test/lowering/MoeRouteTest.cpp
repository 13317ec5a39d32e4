// The words of the routes of a mixture, and what is forced; where they cross is tested in test/codegen/ChoiceTest.cpp.
#include "passes/lowering/MoeRoute.h"
#include <gtest/gtest.h>

using namespace xfmr;

TEST(MoeRoute, ForcedRoutesStand) {
  EXPECT_EQ(chooseMoeRoute(MoeRoute::ById, 4096, 8, 2), MoeRoute::ById);
  EXPECT_EQ(chooseMoeRoute(MoeRoute::Grouped, 1, 8, 2), MoeRoute::Grouped);
  EXPECT_EQ(chooseMoeRoute(MoeRoute::Auto, 5, 8, 2), MoeRoute::ById);
  EXPECT_EQ(chooseMoeRoute(MoeRoute::Auto, 6, 8, 2), MoeRoute::Grouped);
  EXPECT_EQ(parseMoeRoute("by-id"), MoeRoute::ById);
  EXPECT_EQ(parseMoeRoute("fast"), std::nullopt);
}
