// Barriers name the reading of indirect arguments only beside an indirect dispatch.
#include "runtime/plan/BarrierStages.h"
#include <gtest/gtest.h>

using namespace xfmr;

namespace {

struct Dispatch {
  bool barrier, indirect;
};

/// "after before" of each dispatch, as letters: - neither, a after, b before, x both.
std::string stagesOf(const std::vector<Dispatch> &dispatches, bool everywhere = false) {
  program::PhaseT phase;
  phase.name = "decode";
  for (const Dispatch &dispatch : dispatches) {
    auto made = std::make_unique<program::DispatchT>();
    made->grid = {1, 1, 1};
    made->barrier = dispatch.barrier;
    made->indirect_buffer = dispatch.indirect ? 0 : -1;
    phase.dispatches.push_back(std::move(made));
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(program::Phase::Pack(builder, &phase));
  std::string text;
  for (const plan::BarrierStages &s :
       plan::barrierStages(*flatbuffers::GetRoot<program::Phase>(builder.GetBufferPointer()), everywhere))
    text += s.afterIndirect ? (s.beforeIndirect ? 'x' : 'a') : (s.beforeIndirect ? 'b' : '-');
  return text;
}

constexpr Dispatch plain = {false, false}, barred = {true, false}, indirect = {false, true}, barredIndirect = {true, true};

TEST(BarrierStages, NoneWithoutIndirectDispatches) { EXPECT_EQ(stagesOf({plain, barred, plain, barred}), "----"); }

TEST(BarrierStages, TheBarriersOnBothSidesOfAnIndirectDispatch) {
  EXPECT_EQ(stagesOf({plain, barred, barredIndirect, barred, barred}), "--ba-");
}

TEST(BarrierStages, ABarrierCoversAllUpToTheNext) {
  EXPECT_EQ(stagesOf({plain, barred, indirect, plain, barred}), "-b--a");
  EXPECT_EQ(stagesOf({plain, barredIndirect, barredIndirect, barred}), "-bxa");
}

TEST(BarrierStages, BeforeTheFirstBarrierThePhaseHasBegunWithOne) {
  EXPECT_EQ(stagesOf({indirect, barred}), "-a");
  EXPECT_EQ(stagesOf({}), "");
}

TEST(BarrierStages, EverywhereABarrierStandsBeforeEachDispatch) {
  EXPECT_EQ(stagesOf({plain, indirect, plain, plain}, true), "-ba-");
}

} // namespace
