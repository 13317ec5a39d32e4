// A model on two engines: what each gets, why some are refused, and what happens when one of the two fails.
#include "runtime/divided/Engine.h"
#include "runtime/session/Session.h"
#include "runtime/vulkan/DeviceChoice.h"
#include "test/artifact/toy/ToyModel.h"
#include "test/engine/MockEngine.h"
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using artifact::Target;
using program::BufferKind;

namespace {

using Ids = std::vector<int32_t>;

std::shared_ptr<const artifact::Artifact> open(const toy::Contents &contents, std::string *error = nullptr) {
  const std::string path = testing::TempDir() + "divided." + std::to_string(getpid()) + ".xfm";
  EXPECT_EQ(toy::write(path, contents).message(), "");
  auto artifact = std::make_shared<artifact::Artifact>();
  const Status status = artifact::Artifact::open(path, *artifact);
  if (error)
    *error = status.message().substr(status.message().find(": ") + 2);
  else
    EXPECT_EQ(status.message(), "");
  unlink(path.c_str());
  return artifact;
}

struct Divided : testing::Test {
  toy::Contents contents = toy::bothContents();
  divided::Division division;
  std::shared_ptr<const artifact::Artifact> artifact;

  std::string divide(uint32_t layers = 1) {
    artifact = open(contents);
    return divided::divide(*artifact->program(Target::vulkan), *artifact->program(Target::cpu), layers, division)
        .message();
  }
  program::PhaseT &front(size_t phase) { return *contents.program->phases[phase]; }
  program::PhaseT &back(size_t phase) { return *contents.cpuProgram->phases[phase]; }
  std::string damage(program::PhaseT &phase, const std::function<void(program::BorderT &)> &how) {
    how(*phase.borders[0]);
    std::string error;
    open(contents, &error);
    return error;
  }
};

enum Phases : size_t { kPrefill, kLastLogits, kAllLogits, kDecode, kSample };
enum Buffers : uint32_t { kState, kTokens, kArena, kCache, kWeight, kLogits, kOutput };

TEST_F(Divided, EachSideGetsItsOwn) {
  ASSERT_EQ(divide(), "");
  EXPECT_EQ(division.layers, 1u);
  EXPECT_EQ(division.blocks, 2u);
  auto ranges = [](const plan::Part &part) {
    std::vector<std::pair<uint32_t, uint32_t>> found;
    for (plan::Part::Range range : part.phases)
      found.push_back({range.first, range.end});
    return found;
  };
  using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;
  EXPECT_EQ(ranges(division.frontPart), (Ranges{{0, 1}, {0, 0}, {0, 0}, {0, 1}, {0, 0}}));
  EXPECT_EQ(ranges(division.backPart), (Ranges{{1, 2}, {0, 1}, {0, 1}, {1, 3}, {0, 1}}));
  // Activations up to the last byte that is used, caches and weights where they are needed.
  EXPECT_EQ(division.frontPart.bytes, (std::vector<uint64_t>{128, 16, 272, 0, 0, 0, 0}));
  EXPECT_EQ(division.backPart.bytes, (std::vector<uint64_t>{128, 16, 272, 128, 32, 256, 128}));
  EXPECT_EQ(vulkan::needsOf(*division.front, division.frontPart).memory, 128u + 16 + 272);
  EXPECT_EQ(plan::kernelsOf(*division.front, division.frontPart), (std::vector<bool>{true, false, false, false}));
  for (size_t phase : {kPrefill, kDecode}) {
    ASSERT_TRUE(division.phases[phase].runs);
    EXPECT_EQ(division.phases[phase].phase, phase);
    ASSERT_EQ(division.phases[phase].rows.size(), 1u);
    EXPECT_EQ(division.phases[phase].rows[0].fromOffset, 256u);
    EXPECT_EQ(division.phases[phase].rows[0].rowBytes, 4u);
  }
  EXPECT_FALSE(division.phases[kSample].runs);
}

TEST_F(Divided, StatisticsAndProbesOfTheFrontAreReadThere) {
  for (auto *program : {&*contents.program, &*contents.cpuProgram}) {
    toy::addMixture(*program);
    program->buffers.push_back(std::make_unique<program::BufferT>());
    program->buffers.back()->name = "probe.x";
    program->buffers.back()->kind = BufferKind::probe;
    program->buffers.back()->size = 32 * toy::kChunk;
    program->buffers.back()->columns = 1;
    auto &embed = *program->kernels[0];
    embed.bindings.push_back(program::Access::readwrite);
    embed.bindings.push_back(program::Access::write);
    for (auto &phase : program->phases)
      if (!phase->borders.empty()) {
        phase->dispatches[0]->bindings.push_back({kOutput + 1, 16, 16});
        phase->dispatches[0]->bindings.push_back({kOutput + 2, 0, 32 * toy::kChunk});
      }
  }
  ASSERT_EQ(divide(), "");
  ASSERT_EQ(division.moved.size(), 2u);
  EXPECT_EQ(division.moved[0].buffer, kOutput + 1);
  EXPECT_EQ(division.moved[0].offset, 16u);
  EXPECT_EQ(division.moved[0].frontOffset, 16u);
  EXPECT_EQ(division.moved[1].buffer, kOutput + 2);
}

TEST_F(Divided, FewTokensGoByThePrefillOfAFrontThatHasNoPhaseForThem) {
  auto few = std::make_unique<program::PhaseT>(back(kPrefill));
  few->name = "prefill_few";
  few->tokens = 2;
  few->borders[0]->live = {program::LiveRows(kArena, 2, 256, 4)};
  contents.cpuProgram->phases.push_back(std::move(few));
  ASSERT_EQ(divide(), "");
  EXPECT_TRUE(division.phases[5].runs);
  EXPECT_EQ(division.phases[5].phase, kPrefill);
}

TEST_F(Divided, Refusals) {
  EXPECT_EQ(divide(0), "0 of the model's 2 blocks in front leave one side nothing to do");
  EXPECT_EQ(divide(2), "2 of the model's 2 blocks in front leave one side nothing to do");
  front(kDecode).borders[0]->fault = "the buffer 'kv4.k' is used by blocks on both sides";
  EXPECT_EQ(divide(), "phase 'decode': the buffer 'kv4.k' is used by blocks on both sides");
  front(kDecode).borders[0]->fault.clear();
  back(kDecode).borders[0]->live = {program::LiveRows(kArena, 1, 256, 8)};
  EXPECT_EQ(divide(), "phase 'decode': what the programs of the two targets keep between blocks differs");
  back(kDecode).borders[0]->live.clear();
  EXPECT_EQ(divide(), "phase 'decode': what the programs of the two targets keep between blocks differs");
  back(kDecode).borders.clear();
  EXPECT_EQ(divide(), "phase 'decode': 0 borders between blocks, expected 1");
  contents = toy::bothContents();
  front(kPrefill).tokens = 2;
  front(kPrefill).borders[0]->live = {program::LiveRows(kArena, 2, 256, 4)};
  EXPECT_EQ(divide(), "phase 'prefill': the front's program has none that takes 4 tokens");
  contents = toy::bothContents();
  for (auto *program : {&*contents.program, &*contents.cpuProgram}) {
    program->phases.push_back(std::make_unique<program::PhaseT>(*program->phases[0]));
    program->phases.back()->name = "encode";
  }
  EXPECT_EQ(divide(), "the model is an encoder with a decoder, which one engine runs alone: only decoders are divided");
}

TEST_F(Divided, BordersAreChecked) {
  using program::LiveRows;
  auto live = [](LiveRows rows) { return [rows](program::BorderT &border) { border.live = {rows}; }; };
  EXPECT_NE(damage(front(kPrefill), [](auto &border) { border.dispatch = 0; })
                .find("phase 'prefill', border 0 is at dispatch 0, expected one behind 0 of 2"),
            std::string::npos);
  EXPECT_NE(damage(front(kPrefill), [](auto &border) { border.dispatch = 2; })
                .find("is at dispatch 2, expected one behind 0 of 2"),
            std::string::npos);
  front(kPrefill).borders[0]->dispatch = 1;
  EXPECT_NE(damage(front(kPrefill), live({9, 4, 256, 4})).find("border 0: buffer 9 of 7"), std::string::npos);
  EXPECT_NE(damage(front(kPrefill), live({kCache, 4, 0, 4})).find("border 0: buffer 'cache' holds no activations"),
            std::string::npos);
  for (LiveRows rows : {LiveRows(kArena, 3, 256, 4), LiveRows(kArena, 4, 258, 4), LiveRows(kArena, 4, 256, 6),
                        LiveRows(kArena, 4, 256, 0), LiveRows(kArena, 4, 500, 4), LiveRows(kArena, 4, 0, 132),
                        LiveRows(kArena, 4, ~3ull, 4), LiveRows(kArena, 4, 0, ~3ull)})
    EXPECT_NE(damage(front(kPrefill), live(rows)).find("of buffer 'arena' with 512 bytes, expected 4 rows"),
              std::string::npos)
        << rows.offset();
}

// Both halves are mocks: the one behind does the toy's work, the one in front gives rows that nobody looks at.
struct DividedFaults : Divided {
  std::shared_ptr<mock::Faults> first = std::make_shared<mock::Faults>(), second = std::make_shared<mock::Faults>();
  std::unique_ptr<session::Session> session;

  void SetUp() override {
    ASSERT_EQ(divide(), "");
    auto engine = divided::makeEngine(division, mock::makeEngine(artifact, first), mock::makeEngine(artifact, second));
    ASSERT_EQ(session::Session::create(engine, session).message(), "");
  }
  std::string generate(uint32_t count, Ids &ids) {
    session::Sampling sampling;
    sampling.ignoreEos = true;
    session::Finish finish;
    return session
        ->generate(
            count, sampling,
            [&](int32_t id) {
              ids.push_back(id);
              return true;
            },
            finish)
        .message();
  }
};

TEST_F(DividedFaults, BothSidesOfEveryRun) {
  ASSERT_EQ(session->prefill({1, 2, 3, 4, 5, 6}).message(), ""); // two chunks
  EXPECT_EQ(first->submissions, 2);
  Ids ids;
  EXPECT_EQ(generate(5, ids), "");
  EXPECT_EQ(ids, toy::continuation({1, 2, 3, 4, 5, 6}, 5));
  EXPECT_EQ(first->submissions, 2 + 4); // the last id is not decoded
  EXPECT_EQ(session->memoryBytes(), 2000u);
  EXPECT_EQ(session->engine().device(), "block 0 on nothing, the rest on nothing");
  EXPECT_EQ(session->engine().report(),
            "device: block 0 on nothing, the rest on nothing\nblock 0:\ndevice: nothing\nblock 1, and the head:\n"
            "device: nothing\n");
  const auto extents = session->engine().extents(kDecode);
  ASSERT_EQ(extents.size(), 2u);
  EXPECT_EQ(extents[0].end, 1u);
  EXPECT_EQ(extents[1].first, 1u);
  EXPECT_EQ(session->engine().extents(kSample).size(), 1u);
}

TEST_F(DividedFaults, NothingRunsInFrontBehindTheEnd) {
  ASSERT_EQ(session->prefill({13}).message(), ""); // the end token is the first id
  session::Finish finish;
  ASSERT_EQ(session->generate(5, {}, [](int32_t) { return true; }, finish).message(), "");
  EXPECT_EQ(finish, session::Finish::endToken);
  EXPECT_EQ(first->submissions, 1);
}

// Whatever call fails on either side, the tokens that were handed over are right, and the session goes on from them.
TEST_F(DividedFaults, AtEveryCallOfEitherSide) {
  for (const auto &faults : {first, second})
    for (int nth = 1; nth < 40; ++nth) {
      session->reset();
      ASSERT_EQ(session->prefill({2, 9}).message(), "");
      faults->failAt = nth;
      Ids ids;
      const std::string message = generate(8, ids);
      const Ids expected = toy::continuation({2, 9}, 8);
      faults->failAt = 0;
      if (message.empty()) {
        EXPECT_EQ(ids, expected);
        continue;
      }
      EXPECT_EQ(message.rfind("mock: ", 0), 0u) << message;
      EXPECT_NE(message.find(" tokens and can go on"), std::string::npos) << message;
      EXPECT_EQ(ids, Ids(expected.begin(), expected.begin() + static_cast<long>(ids.size())));
      ASSERT_EQ(session->decode(ids.empty() ? 5 : ids.back()).message(), "");
    }
}

TEST_F(DividedFaults, OneOfTheDevicesIsLost) {
  ASSERT_EQ(session->prefill({1, 2}).message(), "");
  first->failAt = 1;
  first->lose = true;
  EXPECT_EQ(session->decode(3).message(), "mock: submit failed; the device is lost: close the model and open it again");
}

TEST_F(DividedFaults, NoMemoryAndNoClock) {
  second->failAt = 1;
  EXPECT_EQ(session->watch([](auto &) {}).message(), "mock: watch failed");
  ASSERT_EQ(session->decode(3).message(), ""); // nobody watches
  first->noMemory = true;
  std::unique_ptr<session::Session> other;
  auto engine = divided::makeEngine(division, mock::makeEngine(artifact, first), mock::makeEngine(artifact, second));
  EXPECT_EQ(session::Session::create(engine, other).message(), "mock: no memory for a session");
}

} // namespace
