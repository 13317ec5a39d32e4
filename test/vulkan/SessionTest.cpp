// Sessions on the toy artifact: chunks, decode, logits, generation, limits, several sessions at once.
#include "runtime/vulkan/Session.h"
#include "test/artifact/toy/ToyModel.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

using Ids = std::vector<int32_t>;

std::shared_ptr<const Model> toyModel(bool forceStaging = false, const toy::Contents &contents = {}) {
  std::string path = testing::TempDir() + "session." + std::to_string(getpid()) + ".xfm";
  EXPECT_EQ(toy::write(path, contents).message(), "");
  std::shared_ptr<const Model> model;
  Model::Options options;
  options.forceStaging = forceStaging;
  EXPECT_EQ(Model::open(path, options, model).message(), "");
  unlink(path.c_str());
  return model;
}

struct Sessions : testing::Test {
  std::shared_ptr<const Model> model = toyModel();
  std::unique_ptr<Session> session = make();

  std::unique_ptr<Session> make() const {
    std::unique_ptr<Session> made;
    EXPECT_EQ(Session::create(model, made).message(), "");
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
  static int32_t largest(const float *row) {
    return static_cast<int32_t>(std::max_element(row, row + toy::kVocab) - row);
  }
};

TEST_F(Sessions, GreedyContinuationOfPromptsOfEveryLength) {
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

TEST_F(Sessions, EveryCountGivesThatManyIds) {
  for (uint32_t count = 0; count <= 30; ++count) {
    session->reset();
    ASSERT_EQ(session->prefill({2, 9}).message(), "");
    Finish finish;
    EXPECT_EQ(generate(*session, count, finish), toy::continuation({2, 9}, static_cast<int>(count)));
  }
}

TEST_F(Sessions, GoesOnAfterGenerating) {
  ASSERT_EQ(session->prefill({4}).message(), "");
  Finish finish;
  Ids first = generate(*session, 5, finish);
  ASSERT_EQ(session->decode(first.back()).message(), "");
  Ids all = first, second = generate(*session, 6, finish);
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_EQ(all, toy::continuation({4}, 11));
}

TEST_F(Sessions, ChunkedPrefillEqualsDecodeEqualsAllLogits) {
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
TEST_F(Sessions, FewTokensRunAPhaseOfTheirOwn) {
  toy::Contents contents;
  contents.program->phases.push_back(std::make_unique<program::PhaseT>());
  contents.program->phases.back()->name = "prefill_few";
  contents.program->phases.back()->tokens = 2;
  model = toyModel(false, contents);
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
  EXPECT_STREQ(model->prefillPhase(2), "prefill_few");
  EXPECT_STREQ(model->prefillPhase(3), "prefill");
}

TEST_F(Sessions, EndTokenStopsAndIsNotHandedOver) {
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

TEST_F(Sessions, ContextLimit) {
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

TEST_F(Sessions, WrongUse) {
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

TEST_F(Sessions, CallbackStops) {
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

TEST_F(Sessions, SamplingParametersReachTheDevice) {
  ASSERT_EQ(session->prefill({2}).message(), "");
  Sampling sampling = greedy();
  sampling.temperature = 2;
  sampling.seed = 4;
  Finish finish;
  EXPECT_EQ(generate(*session, 1, finish, sampling), (Ids{(2 + 3 + 2 + 4) % 16}));
}

TEST_F(Sessions, SameBitsThroughStaging) {
  model = toyModel(/*forceStaging=*/true);
  session = make();
  ASSERT_EQ(session->prefill({6, 6, 6, 6, 6}).message(), "");
  Finish finish;
  EXPECT_EQ(generate(*session, 12, finish), toy::continuation({6, 6, 6, 6, 6}, 12));
}

// Row 0 of the weight is wrong, row 1 right; in the file they lie in a panel, where row 1 is every 16th number.
TEST_F(Sessions, WeightsInPanelsAreTakenApart) {
  toy::Contents contents;
  contents.weight.assign(16 * 8, 0.0f);
  for (size_t c = 0; c < 8; ++c)
    contents.weight[c * 16] = 5, contents.weight[c * 16 + 1] = toy::kOffset;
  program::BufferT &weight = *contents.program->buffers[4];
  weight.layout = program::Layout::panels;
  weight.rows = 2;
  weight.columns = 8;
  weight.size = 4 * 3 * 8; // and a row of zeros
  for (auto &phase : contents.program->phases)
    for (auto &dispatch : phase->dispatches)
      for (program::Binding &binding : dispatch->bindings)
        if (binding.buffer() == 4)
          binding = program::Binding(4, 32, 32);
  for (bool staging : {false, true}) {
    model = toyModel(staging, contents);
    session = make();
    ASSERT_EQ(session->prefill({6, 6, 6}).message(), "");
    Finish finish;
    EXPECT_EQ(generate(*session, 12, finish), toy::continuation({6, 6, 6}, 12)) << staging;
  }
}

TEST_F(Sessions, ProfileNamesDispatchesAndKeepsTheCache) {
  ASSERT_EQ(session->prefill({5, 5, 5}).message(), "");
  std::vector<std::string> seen;
  auto collect = [&](const std::string &label, const std::string &kernel, double seconds) {
    EXPECT_GE(seconds, 0);
    EXPECT_LT(seconds, 10);
    seen.push_back(label + "=" + kernel);
  };
  ASSERT_EQ(session->profile("decode", 1, collect).message(), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"embedding=embed", "cache=append", "head=logits"}));
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

TEST_F(Sessions, SeveralThreadsShareAModel) {
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

} // namespace
