// What a session does when its engine fails: at every call in turn, for good, and for want of memory. And how a generation
// feeds its engine.
#include "runtime/session/BatchSize.h"
#include "runtime/session/Session.h"
#include "test/artifact/toy/ToyModel.h"
#include "test/engine/MockEngine.h"
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::session;

namespace {

using Ids = std::vector<int32_t>;

struct Faulty : testing::Test {
  std::shared_ptr<mock::Faults> faults = std::make_shared<mock::Faults>();
  std::shared_ptr<artifact::Artifact> artifact = std::make_shared<artifact::Artifact>();
  std::unique_ptr<Session> session;

  void SetUp() override {
    std::string path = testing::TempDir() + "faults." + std::to_string(getpid()) + ".xfm";
    toy::writeOrDie(path);
    ASSERT_EQ(artifact::Artifact::open(path, *artifact).message(), "");
    unlink(path.c_str());
    open({2, 0.05});
  }
  void open(engine::Pace pace) {
    ASSERT_EQ(Session::create(mock::makeEngine(artifact, faults, pace), session).message(), "");
  }
  std::string generate(uint32_t count, Ids &ids) {
    Sampling sampling;
    sampling.ignoreEos = true;
    Finish finish;
    return session->generate(count, sampling, [&](int32_t id) { ids.push_back(id); return true; }, finish).message();
  }
};

TEST_F(Faulty, NoMemoryForASession) {
  faults->noMemory = true;
  std::unique_ptr<Session> other;
  EXPECT_EQ(Session::create(mock::makeEngine(artifact, faults), other).message(), "mock: no memory for a session");
  EXPECT_EQ(other, nullptr);
}

// Ten tokens are three chunks, each a submit and a wait.
TEST_F(Faulty, PrefillKeepsTheChunksThatWereDone) {
  const Ids prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  for (int nth = 1; nth <= 6; ++nth) {
    session->reset();
    faults->failAt = nth;
    const uint32_t done = 4 * static_cast<uint32_t>((nth - 1) / 2);
    EXPECT_EQ(session->prefill(prompt).message(), std::string("mock: ") + (nth % 2 ? "submit" : "wait") +
                                                      " failed; the session keeps its first " + std::to_string(done) +
                                                      " tokens and can go on");
    EXPECT_EQ(session->position(), done);
    EXPECT_FALSE(session->hasLogits());
    // It does go on.
    ASSERT_EQ(session->prefill(Ids(prompt.begin() + done, prompt.end())).message(), "");
    Ids ids;
    EXPECT_EQ(generate(5, ids), "");
    EXPECT_EQ(ids, toy::continuation(prompt, 5));
  }
}

TEST_F(Faulty, DecodeAndLogits) {
  ASSERT_EQ(session->prefill({1, 2}).message(), "");
  const std::string after = "; the session keeps its first 2 tokens and can go on";
  faults->failAt = 1;
  EXPECT_EQ(session->decode(3).message(), "mock: submit failed" + after);
  EXPECT_EQ(session->position(), 2u);
  std::vector<float> logits;
  EXPECT_EQ(session->logits(logits).message(), "there are no logits yet: prefill or decode first");
  ASSERT_EQ(session->decode(3).message(), "");
  faults->failAt = 2;
  EXPECT_EQ(session->logits(logits).message(),
            "mock: wait failed; the session keeps its first 3 tokens and can go on");
  faults->failAt = 1;
  EXPECT_EQ(session->profile("decode", 1, [](auto &) {}).message(),
            "mock: watch failed; the session keeps its first 3 tokens and can go on");
  ASSERT_EQ(session->decode(4).message(), "");
  ASSERT_EQ(session->logits(logits).message(), "");
  EXPECT_EQ(logits[(1 + 2 + 3 + 4 + 3) % 16], 1.0f);
}

// Whatever call fails, the tokens that were handed over are right, and the session goes on from them.
TEST_F(Faulty, GenerationAtEveryCall) {
  for (int nth = 1; nth < 40; ++nth) {
    session->reset();
    ASSERT_EQ(session->prefill({2, 9}).message(), "");
    faults->failAt = nth;
    Ids ids;
    const std::string message = generate(20, ids);
    const Ids expected = toy::continuation({2, 9}, 20);
    if (message.empty()) { // fewer calls than nth
      EXPECT_EQ(ids, expected);
      faults->failAt = 0;
      continue;
    }
    EXPECT_NE(message.find(" tokens and can go on"), std::string::npos) << message;
    EXPECT_EQ(ids, Ids(expected.begin(), expected.begin() + static_cast<long>(ids.size())));
    EXPECT_EQ(session->position(), 2 + (ids.empty() ? 0 : ids.size() - 1));
    ASSERT_EQ(session->decode(ids.empty() ? 5 : ids.back()).message(), "");
    Ids rest;
    EXPECT_EQ(generate(3, rest), "");
    if (!ids.empty()) {
      ids.insert(ids.end(), rest.begin(), rest.end());
      EXPECT_EQ(ids, toy::continuation({2, 9}, static_cast<int>(ids.size())));
    }
  }
}

TEST_F(Faulty, LostDevice) {
  ASSERT_EQ(session->prefill({1, 2}).message(), "");
  faults->failAt = 1;
  faults->lose = true;
  const std::string advice = "; the device is lost: close the model and open it again";
  EXPECT_EQ(session->decode(3).message(), "mock: submit failed" + advice);
  EXPECT_EQ(session->decode(3).message(), "mock: submit after the device was lost" + advice);
  EXPECT_EQ(session->prefill({1}).message(), "mock: submit after the device was lost" + advice);
  EXPECT_EQ(session->position(), 2u);
}

TEST_F(Faulty, IdsOutsideTheVocabulary) {
  ASSERT_EQ(session->prefill({1, 2}).message(), "");
  faults->wildIds = true;
  Ids ids;
  EXPECT_EQ(generate(3, ids), "the device chose the id 99, outside the vocabulary of 16; the session keeps its first 2 "
                              "tokens and can go on");
  EXPECT_EQ(ids, Ids{});
}

TEST_F(Faulty, AStopWastesLittleOfASlowDevice) {
  faults->secondsPerToken = 0.03; // more than half of a submission's time: one token each
  ASSERT_EQ(session->prefill({2}).message(), "");
  Sampling sampling;
  sampling.ignoreEos = true;
  Finish finish;
  int seen = 0;
  ASSERT_EQ(session->generate(28, sampling, [&](int32_t) { return ++seen < 6; }, finish).message(), "");
  EXPECT_EQ(finish, Finish::stopped);
  EXPECT_LE(faults->tokens, 5 + 2) << "five decodes gave ids 2 to 6, two were under way";
}

TEST_F(Faulty, AnEngineWithoutSubmissionsRunsNothingInVain) {
  open({1, 0});
  ASSERT_EQ(session->prefill({2}).message(), "");
  Sampling sampling;
  sampling.ignoreEos = true;
  Finish finish;
  int seen = 0;
  ASSERT_EQ(session->generate(28, sampling, [&](int32_t) { return ++seen < 6; }, finish).message(), "");
  EXPECT_EQ(faults->tokens, 5);
}

TEST(BatchSize, FollowsMeasuredTime) {
  BatchSize size(0.05);
  EXPECT_EQ(size.next(), 1u); // nothing is known yet
  EXPECT_EQ(size.next(), 1u);
  size.measured(1, 0.001);
  EXPECT_EQ(size.next(), 2u); // doubles at most
  EXPECT_EQ(size.next(), 4u);
  EXPECT_EQ(size.next(), 8u);
  EXPECT_EQ(size.next(), 16u);
  EXPECT_EQ(size.next(), 32u);
  EXPECT_EQ(size.next(), 50u); // 50 ms
  EXPECT_EQ(size.next(), 50u);
  size.measured(50, 1.0); // the device slowed down to 20 ms a token
  EXPECT_EQ(size.next(), 2u);
  size.measured(2, 0.2);
  EXPECT_EQ(size.next(), 1u); // never less than one
  size.measured(1, 1e-6);
  for (uint32_t expected : {2u, 4u, 8u, 16u, 32u, 64u, 64u})
    EXPECT_EQ(size.next(), expected);
}

} // namespace
