// Which of the measured variants is taken: the choice alone, without a device.
#include "runtime/Tuning.h"
#include <gtest/gtest.h>

using namespace xfmr::engines;

TEST(Tuning, TheFastestUnlessTheFirstIsAsGood) {
  EXPECT_EQ(fastest({{"a", 2.0}}), 0u);
  EXPECT_EQ(fastest({{"a", 2.0}, {"b", 1.0}, {"portable", 1.5}}), 1u);
  EXPECT_EQ(fastest({{"a", 1.0}, {"b", 2.0}}), 0u);
  EXPECT_EQ(fastest({{"a", 1.0}, {"b", 0.98}}), 0u); // within what times differ anyway
  EXPECT_EQ(fastest({{"a", 1.0}, {"b", 0.96}}), 1u);
  EXPECT_EQ(fastest({{"a", 0.0}, {"b", 0.0}}), 0u); // not run
}
