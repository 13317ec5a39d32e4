// What every engine must do, asked through sessions on the toy artifact: chunks, decode, logits, generation, limits, several
// sessions at once. The same tests run over the mock, Vulkan and the CPU at each level and several numbers of threads.
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/divided/Engine.h"
#include "runtime/session/PhaseChoice.h"
#include "runtime/session/Session.h"
#include "runtime/vulkan/Engine.h"
#include "test/artifact/toy/ToyModel.h"
#include "test/engine/MockEngine.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::session;

namespace {

using Ids = std::vector<int32_t>;

/// "mock", "vulkan", "divided" (Vulkan and the CPU), or "cpu LEVEL THREADS".
struct Conformance : testing::TestWithParam<std::string> {
  std::shared_ptr<const engine::Engine> engine;
  std::unique_ptr<Session> session;

  void SetUp() override {
    if (GetParam().rfind("cpu", 0) == 0 && level() > cpu::levelOf(cpu::cpuFacts()))
      GTEST_SKIP() << "this CPU has no " << GetParam();
    engine = open(toy::bothContents());
    session = make();
  }
  static int level() { return GetParam()[5] - '0'; }

  static std::shared_ptr<const engine::Engine> open(const toy::Contents &contents) {
    std::string path = testing::TempDir() + "conformance." + std::to_string(getpid()) + ".xfm";
    EXPECT_EQ(toy::write(path, contents).message(), "");
    auto artifact = std::make_shared<artifact::Artifact>();
    EXPECT_EQ(artifact::Artifact::open(path, *artifact).message(), "");
    unlink(path.c_str());
    std::shared_ptr<const engine::Engine> engine;
    if (GetParam() == "mock")
      return mock::makeEngine(artifact, std::make_shared<mock::Faults>());
    if (GetParam() == "vulkan") {
      EXPECT_EQ(vulkan::openEngine(artifact, {}, engine).message(), "");
      return engine;
    }
    if (GetParam() == "divided")
      return openDivided(artifact);
    cpu::Options options;
    options.threads = static_cast<uint32_t>(std::stoul(GetParam().substr(7)));
    setenv("XFMR_CPU_LEVEL", GetParam().substr(4, 2).c_str(), 1);
    EXPECT_EQ(cpu::openEngine(artifact, options, engine).message(), "");
    unsetenv("XFMR_CPU_LEVEL");
    return engine;
  }

  static std::shared_ptr<const engine::Engine> openDivided(std::shared_ptr<const artifact::Artifact> artifact) {
    divided::Division division;
    const program::Program &first = *artifact->program(artifact::Target::vulkan), &second = *artifact->program(artifact::Target::cpu);
    EXPECT_EQ(divided::divide(first, second, 1, division).message(), "");
    std::shared_ptr<const engine::Engine> front, back;
    vulkan::Model::Options onVulkan;
    onVulkan.part = &division.frontPart;
    EXPECT_EQ(vulkan::openEngine(artifact, onVulkan, front).message(), "");
    EXPECT_NE(front->report().find("memory: weights 0 MiB in 0 allocations"), std::string::npos) << "they are the back's";
    cpu::Options onCpu;
    onCpu.threads = 2;
    onCpu.part = &division.backPart;
    EXPECT_EQ(cpu::openEngine(artifact, onCpu, back).message(), "");
    return divided::makeEngine(division, front, back);
  }

  std::unique_ptr<Session> make() const {
    std::unique_ptr<Session> made;
    EXPECT_EQ(Session::create(engine, made).message(), "");
    return made;
  }
  static Ids generate(Session &session, uint32_t count, Finish &finish, Sampling sampling = greedy()) {
    Ids ids;
    EXPECT_EQ(session.generate(count, sampling, [&](int32_t id) { ids.push_back(id); return true; }, finish)
                  .message(), "");
    return ids;
  }
  static Sampling greedy() {
    Sampling sampling;
    sampling.ignoreEos = true;
    return sampling;
  }
  /// "decode 3+1 head=logits": phase, first position, rows, label, kernel.
  std::string nameOf(const Dispatched &done) const {
    return done.phase.name()->str() + " " + std::to_string(done.position) + "+" + std::to_string(done.rows) + " " +
           done.dispatch.label()->str() + "=" + done.program.kernels()->Get(done.dispatch.kernel())->name()->str();
  }
  static int32_t largest(const float *row) {
    return static_cast<int32_t>(std::max_element(row, row + toy::kVocab) - row);
  }
};

TEST_P(Conformance, GreedyContinuationOfPromptsOfEveryLength) {
  for (int length = 1; length <= 12; ++length) {
    Ids prompt;
    for (int i = 0; i < length; ++i)
      prompt.push_back((5 * i + 2) % toy::kVocab);
    session->reset();
    ASSERT_EQ(session->prefill(prompt).message(), "");
    Finish finish;
    EXPECT_EQ(generate(*session, 19, finish), toy::continuation(prompt, 19)) << length;
    EXPECT_EQ(finish, Finish::length);
    EXPECT_EQ(session->position(), length + 18u);
  }
}

TEST_P(Conformance, ASourceComesFirstWhereThereIsOne) {
  EXPECT_EQ(session->encode({1}).message(), "the model reads one text: it has no encoder beside its decoder");
  if (GetParam() == "divided")
    return; // such a model is not divided
  toy::Contents contents = toy::bothContents();
  for (auto *program : {&*contents.program, &*contents.cpuProgram}) {
    program->phases.push_back(std::make_unique<program::PhaseT>(*program->phases[0]));
    program->phases.back()->name = "encode";
  }
  engine = open(contents);
  session = make();
  const char *missing = "the model is an encoder with a decoder: give the source before what the decoder continues";
  EXPECT_EQ(session->prefill({1}).message(), missing);
  EXPECT_EQ(session->decode(1).message(), missing);
  EXPECT_EQ(session->prefillAllLogits({1}, [](auto &&...) {}).message(), missing);
  ASSERT_EQ(session->encode({5, 6, 7}).message(), "");
  EXPECT_EQ(session->source(), 3u);
  EXPECT_EQ(session->position(), 0u);
  ASSERT_EQ(session->prefill({2, 9}).message(), "");
  Finish finish;
  EXPECT_EQ(generate(*session, 5, finish), toy::continuation({2, 9}, 5));
  ASSERT_EQ(session->encode({5}).message(), ""); // forgets what was there
  EXPECT_EQ(session->position(), 0u);
  session->reset();
  EXPECT_EQ(session->source(), 0u);
  EXPECT_EQ(session->prefill({1}).message(), missing);
}

TEST_P(Conformance, EveryCountGivesThatManyIds) {
  for (uint32_t count = 0; count <= 30; ++count) {
    session->reset();
    ASSERT_EQ(session->prefill({2, 9}).message(), "");
    Finish finish;
    EXPECT_EQ(generate(*session, count, finish), toy::continuation({2, 9}, static_cast<int>(count)));
  }
}

TEST_P(Conformance, GoesOnAfterGenerating) {
  ASSERT_EQ(session->prefill({4}).message(), "");
  Finish finish;
  Ids first = generate(*session, 5, finish);
  ASSERT_EQ(session->decode(first.back()).message(), "");
  Ids all = first, second = generate(*session, 6, finish);
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_EQ(all, toy::continuation({4}, 11));
}

TEST_P(Conformance, ChunkedPrefillEqualsDecodeEqualsAllLogits) {
  Ids prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5};
  std::vector<std::vector<float>> rows;
  auto collect = [&](uint32_t first, uint32_t count, const float *logits, size_t stride) {
    EXPECT_EQ(first, rows.size());
    EXPECT_EQ(stride, 16u);
    for (uint32_t r = 0; r < count; ++r)
      rows.emplace_back(logits + r * stride, logits + r * stride + toy::kVocab);
  };
  ASSERT_EQ(session->prefillAllLogits(prompt, collect).message(), "");
  ASSERT_EQ(rows.size(), prompt.size());
  std::vector<float> last;
  ASSERT_EQ(session->logits(last).message(), "");
  EXPECT_EQ(last, rows.back());

  auto stepwise = make();
  for (size_t i = 0; i < prompt.size(); ++i) {
    ASSERT_EQ(stepwise->decode(prompt[i]).message(), "");
    ASSERT_EQ(stepwise->logits(last).message(), "");
    EXPECT_EQ(last, rows[i]) << i;
    EXPECT_EQ(largest(last.data()), toy::continuation(Ids(prompt.begin(), prompt.begin() + i + 1), 1)[0]);
  }
}

// A prefill_few that does nothing shows which runs it takes: their tokens are missing from the sum.
TEST_P(Conformance, FewTokensRunAPhaseOfTheirOwn) {
  toy::Contents contents = toy::bothContents();
  for (auto *program : {&*contents.program, &*contents.cpuProgram}) {
    program->phases.push_back(std::make_unique<program::PhaseT>());
    program->phases.back()->name = "prefill_few";
    program->phases.back()->tokens = 2;
  }
  engine = open(contents);
  session = make();
  auto next = [&](const Ids &prompt) {
    session = make();
    EXPECT_EQ(session->prefill(prompt).message(), "");
    Finish finish;
    return generate(*session, 1, finish);
  };
  EXPECT_EQ(next({5}), toy::continuation({}, 1));
  EXPECT_EQ(next({5, 4}), toy::continuation({}, 1));
  EXPECT_EQ(next({5, 4, 1}), toy::continuation({5, 4, 1}, 1));
  EXPECT_EQ(next({5, 4, 1, 2, 7, 7}), toy::continuation({5, 4, 1, 2}, 1)); // the rest of two
  EXPECT_EQ(next({5, 4, 1, 2, 7, 7, 7}), toy::continuation({5, 4, 1, 2, 7, 7, 7}, 1));
  EXPECT_STREQ(prefillPhase(engine->program(), 2), "prefill_few");
  EXPECT_STREQ(prefillPhase(engine->program(), 3), "prefill");
}

TEST_P(Conformance, EndTokenStopsAndIsNotHandedOver) {
  // 1 + 3 = 4, 8, 16 mod 16 = 0: the end token is the third id.
  ASSERT_EQ(session->prefill({1}).message(), "");
  Sampling sampling;
  Finish finish;
  EXPECT_EQ(generate(*session, 20, finish, sampling), (Ids{4, 8}));
  EXPECT_EQ(finish, Finish::endToken);
  EXPECT_EQ(session->position(), 2u);
  // The end token as the very first id.
  session->reset();
  ASSERT_EQ(session->prefill({13}).message(), "");
  EXPECT_EQ(generate(*session, 20, finish, sampling), Ids{});
  EXPECT_EQ(finish, Finish::endToken);
  EXPECT_EQ(generate(*session, 2, finish, greedy()), (Ids{0, 0}));
}

TEST_P(Conformance, ContextLimit) {
  Ids prompt(toy::kMaxContext, 1);
  ASSERT_EQ(session->prefill(prompt).message(), "");
  Finish finish;
  EXPECT_EQ(generate(*session, 9, finish), toy::continuation(prompt, 1));
  EXPECT_EQ(finish, Finish::context);
  EXPECT_EQ(session->decode(1).message(),
            "1 tokens after 32 do not fit into the context of 32 tokens; compile with a larger "
            "--max-context or shorten the prompt");
  session->reset();
  ASSERT_EQ(session->prefill({2, 2, 2}).message(), "");
  EXPECT_EQ(generate(*session, 1000, finish), toy::continuation({2, 2, 2}, 30));
  EXPECT_EQ(finish, Finish::context);
  session->reset();
  EXPECT_EQ(session->prefill(Ids(33, 1)).message(),
            "33 tokens after 0 do not fit into the context of 32 tokens; compile with a larger "
            "--max-context or shorten the prompt");
  EXPECT_EQ(session->position(), 0u);
}

TEST_P(Conformance, WrongUse) {
  EXPECT_EQ(session->prefill({1, 16}).message(),
            "token id 16 at position 1 is outside the vocabulary of 16 ids");
  EXPECT_EQ(session->decode(-1).message(),
            "token id -1 at position 0 is outside the vocabulary of 16 ids");
  EXPECT_EQ(session->prefill({}).message(), "no token to run: give at least one id");
  std::vector<float> logits;
  EXPECT_EQ(session->logits(logits).message(), "there are no logits yet: prefill or decode first");
  Finish finish;
  EXPECT_EQ(session->generate(1, {}, [](int32_t) { return true; }, finish).message(),
            "there is nothing to continue: prefill or decode first");
}

TEST_P(Conformance, CallbackStops) {
  for (size_t stopAt = 1; stopAt < 9; ++stopAt) {
    session->reset();
    ASSERT_EQ(session->prefill({7}).message(), "");
    Ids ids;
    Finish finish;
    ASSERT_EQ(session->generate(25, greedy(), [&](int32_t id) {
                ids.push_back(id);
                return ids.size() < stopAt;
              }, finish).message(), "");
    EXPECT_EQ(finish, Finish::stopped);
    EXPECT_EQ(ids, toy::continuation({7}, static_cast<int>(stopAt)));
    ASSERT_EQ(session->decode(ids.back()).message(), "");
    Ids rest = generate(*session, 3, finish);
    ids.insert(ids.end(), rest.begin(), rest.end());
    EXPECT_EQ(ids, toy::continuation({7}, static_cast<int>(stopAt) + 3));
  }
}

TEST_P(Conformance, SamplingParametersReachTheDevice) {
  ASSERT_EQ(session->prefill({2}).message(), "");
  Sampling sampling = greedy();
  sampling.temperature = 2;
  sampling.seed = 4;
  Finish finish;
  EXPECT_EQ(generate(*session, 1, finish, sampling), (Ids{(2 + 3 + 2 + 4) % 16}));
}

// Row 0 of the weight is wrong, row 1 right; in the file they lie in a panel, where row 1 is every 16th number.
TEST_P(Conformance, ProfileNamesDispatchesAndKeepsTheCache) {
  ASSERT_EQ(session->prefill({5, 5, 5}).message(), "");
  std::vector<std::string> seen;
  auto collect = [&](const Dispatched &done) {
    EXPECT_GE(done.ran.seconds, 0);
    EXPECT_LT(done.ran.seconds, 10);
    seen.push_back(nameOf(done));
  };
  ASSERT_EQ(session->profile("decode", 1, collect).message(), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"decode 3+1 embedding=embed", "decode 3+1 cache=append", "decode 3+1 head=logits"}));
  EXPECT_EQ(session->profile("prefill", 5, collect).message(),
            "phase 'prefill' takes 1 to 4 tokens that fit into the context, got 5");
  EXPECT_EQ(session->profile("sample", 1, collect).message(),
            "phase 'sample' cannot be measured by itself");
  EXPECT_FALSE(session->hasLogits());
  ASSERT_EQ(session->decode(6).message(), "");
  Finish finish;
  EXPECT_EQ(generate(*session, 8, finish), toy::continuation({5, 5, 5, 6}, 8));
  EXPECT_GT(session->hostSeconds(), 0);
}

// Chunks of a prompt, logits, generation: each dispatch in order, with the tokens it worked on, and times that do not go back.
TEST_P(Conformance, WhoWatchesSeesEverythingThatRunsAndNothingChanges) {
  std::vector<std::string> seen;
  double last = 0;
  auto collect = [&](const Dispatched &done) {
    if (done.ran.dispatch == 0)
      seen.push_back(nameOf(done));
    EXPECT_GE(done.ran.seconds, 0);
    EXPECT_GE(done.ran.begin, last);
    EXPECT_GE(done.ran.end, done.ran.begin);
    last = done.ran.begin;
    const bool onCpu = engine->name() == std::string("cpu") || (GetParam() == "divided" && !done.ran.program);
    EXPECT_EQ(done.ran.parts.empty(), !onCpu);
    for (const engine::Ran::Part &part : done.ran.parts) {
      EXPECT_LT(part.thread, engine->threads());
      EXPECT_GE(part.begin, done.ran.begin);
      EXPECT_LE(part.end, done.ran.end);
    }
  };
  ASSERT_EQ(session->watch(collect).message(), "");
  ASSERT_EQ(session->prefill({1, 2, 3, 4, 5, 6}).message(), "");
  Finish finish;
  EXPECT_EQ(generate(*session, 3, finish), toy::continuation({1, 2, 3, 4, 5, 6}, 3));
  EXPECT_EQ(seen, (std::vector<std::string>{"prefill 0+4 embedding=embed", "prefill 4+2 embedding=embed",
                                            "last_logits 5+1 head=logits", "sample 5+1 sample=sample",
                                            "decode 6+1 embedding=embed", "sample 6+1 sample=sample",
                                            "decode 7+1 embedding=embed", "sample 7+1 sample=sample"}));
  ASSERT_EQ(session->watch({}).message(), "");
  seen.clear();
  ASSERT_EQ(session->decode(1).message(), "");
  EXPECT_TRUE(seen.empty());
}

TEST_P(Conformance, SeveralThreadsShareAModel) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto mine = make();
      for (int round = 0; round < 5; ++round) {
        mine->reset();
        Ids prompt = {t, round, 3};
        EXPECT_EQ(mine->prefill(prompt).message(), "");
        Finish finish;
        EXPECT_EQ(generate(*mine, 15, finish), toy::continuation(prompt, 15));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST_P(Conformance, TheSameSeedGivesTheSameIds) {
  Sampling sampling = greedy();
  sampling.temperature = 1;
  sampling.seed = 5;
  Ids runs[2];
  for (Ids &ids : runs) {
    session->reset();
    ASSERT_EQ(session->prefill({2, 7, 1}).message(), "");
    Finish finish;
    ids = generate(*session, 20, finish, sampling);
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_EQ(runs[0].size(), 20u);
}

TEST_P(Conformance, LongestContextIsNotCalledTooSmall) {
  toy::Contents contents = toy::bothContents();
  for (auto *program : {&*contents.program, &*contents.cpuProgram})
    program->max_position = toy::kMaxContext;
  engine = open(contents);
  session = make();
  EXPECT_EQ(session->prefill(Ids(33, 1)).message(), "33 tokens after 0 do not fit into the context of 32 tokens, the "
                                                    "longest the model was made for; shorten the prompt");
}

TEST_P(Conformance, StatisticsOfExperts) {
  toy::Contents contents = toy::bothContents();
  for (auto *program : {&*contents.program, &*contents.cpuProgram})
    toy::addMixture(*program);
  engine = open(contents);
  session = make();
  std::vector<uint32_t> counts;
  std::vector<float> weights;
  ASSERT_EQ(session->expertStats(0, counts, weights).message(), "");
  EXPECT_EQ(counts, std::vector<uint32_t>(2));
  EXPECT_EQ(weights, std::vector<float>(2));
  EXPECT_EQ(session->expertStats(1, counts, weights).message(), "mixture 1 was asked for, the model has 1");
}

TEST_P(Conformance, Description) {
  EXPECT_EQ(engine->name(), GetParam().substr(0, GetParam().find(' ')));
  EXPECT_EQ(engine->report().rfind("device: " + engine->device(), 0), 0u) << engine->report();
  EXPECT_GE(session->memoryBytes(), 500u);
}

INSTANTIATE_TEST_SUITE_P(Engines, Conformance,
                         testing::Values("mock", "vulkan", "divided", "cpu v2 1", "cpu v3 2", "cpu v4 1", "cpu v4 4"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

} // namespace
