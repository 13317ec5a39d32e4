// The hazard verifier: a small block-like program passes; without any one of its barriers it is refused.
#include "runtime/plan/Barriers.h"
#include "runtime/plan/Hazards.h"
#include <gtest/gtest.h>

using namespace xfmr;
using program::Access;

namespace {

enum : uint32_t { kState, kTokens, kArena, kWeights, kIndirect };
enum : uint32_t { kCopy, kInPlace, kTwoInputs };

program::ProgramT smallProgram() {
  program::ProgramT p;
  p.target = "vulkan";
  for (const char *name : {"state", "tokens", "arena", "weights", "indirect"}) {
    auto buffer = std::make_unique<program::BufferT>();
    buffer->name = name;
    buffer->size = 4096;
    p.buffers.push_back(std::move(buffer));
  }
  auto kernel = [&](const char *name, std::vector<Access> bindings) {
    auto k = std::make_unique<program::KernelT>();
    k->name = name;
    k->bindings = std::move(bindings);
    k->workgroup_size = {64, 1, 1};
    p.kernels.push_back(std::move(k));
  };
  kernel("copy", {Access::read, Access::read, Access::write});
  kernel("in_place", {Access::read, Access::readwrite});
  kernel("two_inputs", {Access::read, Access::read, Access::read, Access::write});
  auto phase = std::make_unique<program::PhaseT>();
  phase->name = "decode";
  auto dispatch = [&](const char *label, uint32_t kernelIndex, std::vector<program::Binding> bindings,
                      bool barrier, int indirect = -1) {
    auto d = std::make_unique<program::DispatchT>();
    d->label = label;
    d->kernel = kernelIndex;
    d->bindings = std::move(bindings);
    d->grid = {1, 1, 1};
    d->barrier = barrier;
    d->indirect_buffer = indirect;
    phase->dispatches.push_back(std::move(d));
  };
  auto at = [](uint32_t buffer, uint64_t offset, uint64_t range) {
    return program::Binding(buffer, offset, range);
  };
  dispatch("embedding", kCopy, {at(kState, 0, 128), at(kTokens, 0, 16), at(kArena, 0, 256)}, false);
  dispatch("norm", kCopy, {at(kState, 0, 128), at(kArena, 0, 256), at(kArena, 256, 256)}, true);
  dispatch("attention", kCopy, {at(kState, 0, 128), at(kArena, 256, 256), at(kArena, 512, 256)}, true);
  dispatch("residual", kInPlace, {at(kState, 0, 128), at(kArena, 0, 256)}, false);
  dispatch("second residual", kInPlace, {at(kState, 0, 128), at(kArena, 0, 256)}, true);
  dispatch("mlp", kTwoInputs,
           {at(kState, 0, 128), at(kArena, 0, 256), at(kArena, 512, 256), at(kArena, 256, 256)}, true);
  dispatch("routing plan", kCopy, {at(kState, 0, 128), at(kTokens, 0, 16), at(kIndirect, 0, 64)}, false);
  dispatch("experts", kCopy, {at(kState, 0, 128), at(kTokens, 0, 16), at(kWeights, 0, 16)}, true,
           kIndirect);
  p.phases.push_back(std::move(phase));
  return p;
}

Status verify(const program::ProgramT &p) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(program::Program::Pack(builder, &p));
  return plan::verifyHazards(*flatbuffers::GetRoot<program::Program>(builder.GetBufferPointer()));
}

TEST(Hazards, FinishedProgramPasses) { EXPECT_EQ(verify(smallProgram()).message(), ""); }

TEST(Hazards, ObjectsToEveryRemovedBarrier) {
  const std::vector<std::string> expected = {
      "phase 'decode': dispatch 1 'norm' needs a barrier after dispatch 0 'embedding': read after "
      "write of buffer 'arena' bytes [0, 256)",
      "phase 'decode': dispatch 2 'attention' needs a barrier after dispatch 1 'norm': read after "
      "write of buffer 'arena' bytes [256, 512)",
      "phase 'decode': dispatch 4 'second residual' needs a barrier after dispatch 3 'residual': read "
      "after write of buffer 'arena' bytes [0, 256)",
      "phase 'decode': dispatch 5 'mlp' needs a barrier after dispatch 4 'second residual': read after "
      "write of buffer 'arena' bytes [0, 256)",
      "phase 'decode': dispatch 7 'experts' needs a barrier after dispatch 6 'routing plan': read after "
      "write of buffer 'indirect' bytes [0, 12) as indirect arguments"};
  size_t removed = 0;
  for (size_t i = 0; i < smallProgram().phases[0]->dispatches.size(); ++i) {
    program::ProgramT p = smallProgram();
    if (!p.phases[0]->dispatches[i]->barrier)
      continue;
    p.phases[0]->dispatches[i]->barrier = false;
    ASSERT_LT(removed, expected.size());
    EXPECT_EQ(verify(p).message(), expected[removed++]);
  }
  EXPECT_EQ(removed, expected.size());
}

TEST(Hazards, WriteAfterReadAndWriteAfterWrite) {
  program::ProgramT p = smallProgram();
  auto &list = p.phases[0]->dispatches;
  list.resize(2);
  list[0]->bindings[1] = program::Binding(kArena, 1024, 64);
  list[1]->barrier = false;
  list[1]->bindings[1] = program::Binding(kArena, 2048, 64);
  list[1]->bindings[2] = program::Binding(kArena, 1056, 64);
  EXPECT_EQ(verify(p).message(), "phase 'decode': dispatch 1 'norm' needs a barrier after dispatch 0 "
                                 "'embedding': write after read of buffer 'arena' bytes [1056, 1088)");
  list[1]->bindings[2] = program::Binding(kArena, 240, 32);
  EXPECT_EQ(verify(p).message(), "phase 'decode': dispatch 1 'norm' needs a barrier after dispatch 0 "
                                 "'embedding': write after write of buffer 'arena' bytes [240, 256)");
}

TEST(Hazards, DerivedBarriersSatisfyTheVerifier) {
  program::ProgramT p = smallProgram();
  std::vector<plan::DispatchAccess> accesses;
  for (auto &dispatch : p.phases[0]->dispatches) {
    plan::DispatchAccess access;
    for (size_t i = 0; i < dispatch->bindings.size(); ++i) {
      const program::Binding &b = dispatch->bindings[i];
      plan::ByteRange range = {b.buffer(), b.offset(), b.offset() + b.range()};
      Access kind = p.kernels[dispatch->kernel]->bindings[i];
      if (kind != Access::write)
        access.reads.push_back(range);
      if (kind != Access::read)
        access.writes.push_back(range);
    }
    if (dispatch->indirect_buffer >= 0)
      access.reads.push_back({kIndirect, 0, 12});
    accesses.push_back(access);
  }
  std::vector<bool> flags = plan::deriveBarriers(accesses);
  for (size_t i = 0; i < flags.size(); ++i) {
    EXPECT_EQ(flags[i], p.phases[0]->dispatches[i]->barrier) << i;
    p.phases[0]->dispatches[i]->barrier = flags[i];
  }
  EXPECT_EQ(verify(p).message(), "");
}

} // namespace
