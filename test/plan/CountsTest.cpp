// What is said about the dispatches and barriers of a program.
#include "runtime/plan/Counts.h"
#include <gtest/gtest.h>

using namespace xfmr;

namespace {

std::unique_ptr<program::PhaseT> phase(const char *name, const std::vector<std::pair<std::string, bool>> &dispatches) {
  auto made = std::make_unique<program::PhaseT>();
  made->name = name;
  for (const auto &[label, barrier] : dispatches) {
    auto dispatch = std::make_unique<program::DispatchT>();
    dispatch->label = label;
    dispatch->grid = {1, 1, 1};
    dispatch->barrier = barrier;
    made->dispatches.push_back(std::move(dispatch));
  }
  return made;
}

TEST(Counts, ALayerIsWhatLabelsName) {
  program::ProgramT p;
  p.target = "vulkan";
  p.phases.push_back(phase("decode", {{"embedding", false},
                                      {"block 0 linear", true},
                                      {"block 0 attention", true},
                                      {"block 10 linear", true},
                                      {"block 10 linear", false},
                                      {"block 10 attention", true},
                                      {"linear", true}}));
  p.phases.push_back(phase("prefill", {{"block 0 linear", false}, {"block 1 linear", false}}));
  p.phases.push_back(phase("sample", {{"sample", false}, {"", false}}));
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(program::Program::Pack(builder, &p));
  EXPECT_EQ(plan::describeCounts(*flatbuffers::GetRoot<program::Program>(builder.GetBufferPointer())),
            "vulkan decode: 7 dispatches, 5 barriers; a layer 2 to 3 and 2 (2 layers)\n"
            "vulkan prefill: 2 dispatches, 0 barriers; a layer 1 and 0 (2 layers)\n"
            "vulkan sample: 2 dispatches, 0 barriers\n");
}

} // namespace
