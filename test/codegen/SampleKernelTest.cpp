// The sample kernel: the choice against an independent one by sorting, the state transitions word
// by word.
#include "passes/codegen/Sample.h"
#include "test/codegen/KernelTest.h"
#include <set>

namespace xfmr::codegen::test {
namespace {

class SampleKernel : public KernelTest {
protected:
  struct Settings {
    float temperature = 0;
    uint32_t topK = 0;
    float topP = 1;
    uint64_t seed = 1;
    uint32_t outputCount = 0;
    float minP = 0;
    float penalty = 0;
    std::set<uint32_t> seen; // before the call
  };

  void SetUp() override {
    words.assign(state::kWords, 0);
    words[state::kCount] = 1, words[state::kLimit] = 1000, words[state::kTopP] = floatBits(1);
  }

  // Runs sample on `logits` (row `row` of a larger buffer); the state words afterwards are in
  // `after`. `output` and `tokens` live until the next call.
  uint32_t sample(const std::vector<float> &logits, const Settings &s, uint32_t row = 0) {
    words[state::kTemperature] = floatBits(s.temperature), words[state::kTopK] = s.topK;
    words[state::kTopP] = floatBits(s.topP), words[state::kOutputCount] = s.outputCount;
    words[state::kSeedLow] = uint32_t(s.seed), words[state::kSeedHigh] = uint32_t(s.seed >> 32);
    words[state::kSampleRow] = row;
    words[state::kMinP] = floatBits(s.minP), words[state::kPenalty] = floatBits(s.penalty);
    const std::vector<Form> all = forms();
    Left left;
    for (const Form &form : all) {
      const uint32_t chosen = sample(logits, s, row, form);
      Left here{chosen, after, wordsOf(output), wordsOf(tokens), wordsOf(seen)};
      if (&form == &all.front())
        left = std::move(here);
      else
        EXPECT_TRUE(here == left) << form.label << ": " << here.chosen << ", " << all.front().label << ": " << left.chosen;
    }
    return left.chosen;
  }

  // A way to sample: in one workgroup, or in slices of so many ids; and the variant, the portable one 0, others behind it.
  struct Form {
    uint32_t slice;
    size_t variant;
    std::string label;
  };
  // The portable one in one workgroup is last: what it leaves is looked at. Others leave the same.
  std::vector<Form> forms() {
    std::vector<Form> result;
    for (uint32_t slice : onVulkan() ? slices : std::vector<uint32_t>())
      for (size_t variant = 0; variant < variants(SampleSpec{SamplePart::Best}); ++variant)
        result.push_back({slice, variant, "slices of " + std::to_string(slice) + ", variant " + std::to_string(variant)});
    for (size_t variant = variants(SampleSpec{}); variant-- > 0;)
      result.push_back({0, variant, "whole, variant " + std::to_string(variant)});
    return result;
  }
  struct Left {
    uint32_t chosen = 0;
    std::vector<uint32_t> after, output, tokens, seen;
    bool operator==(const Left &other) const {
      return chosen == other.chosen && after == other.after && output == other.output && tokens == other.tokens && seen == other.seen;
    }
  };
  static std::vector<uint32_t> wordsOf(TestBuffer *buffer) {
    return {buffer->as<uint32_t>(), buffer->as<uint32_t>() + buffer->bytes / 4};
  }
  // Of a kernel, the last but `variant`, or its first.
  int variantOf(const SampleSpec &spec, size_t variant) {
    const size_t all = variants(spec);
    return int(variant < all ? all - 1 - variant : 0);
  }

  uint32_t sample(const std::vector<float> &logits, const Settings &s, uint32_t row, const Form &form) {
    uint32_t vocab = static_cast<uint32_t>(logits.size()), stride = paddedWidth(vocab);
    releaseBuffers();
    TestBuffer *state = ids(words), *buffer = floats(size_t(stride) * (row + 1));
    std::fill_n(buffer->as<float>(), buffer->bytes / 4,
                1e9f); // neither pads nor other rows may win
    std::copy(logits.begin(), logits.end(), buffer->as<float>() + size_t(stride) * row);
    output = bytes(kCapacity * 4), tokens = bytes(8);
    std::vector<uint32_t> bits((vocab + 31) / 32, 0);
    for (uint32_t id : s.seen)
      bits[id / 32] |= 1u << (id % 32);
    seen = ids(bits);
    SampleParams p;
    p.vocab = vocab, p.rowStride = stride, p.outputCapacity = kCapacity, p.slice = form.slice;
    if (!form.slice) {
      run(SampleSpec{}, p, {state, buffer, output, tokens, seen}, variantOf({}, form.variant));
    } else {
      const SampleSpec best{SamplePart::Best}, cut{SamplePart::Cut}, pick{SamplePart::Pick};
      TestBuffer *found = ids(std::vector<uint32_t>(p.slicesWords(), 0));
      run(best, p, {state, buffer, output, tokens, seen, found}, variantOf(best, form.variant));
      const bool draws = found->as<uint32_t>()[slices::kGrid] != 0; // else the device would start no more workgroups
      for (p.round = 0; draws && p.round < kCutRounds; ++p.round)
        run(cut, p, {state, buffer, seen, found}, variantOf(cut, form.variant));
      p.round = 0;
      if (draws)
        run(pick, p, {state, buffer, output, tokens, seen, found}, variantOf(pick, form.variant));
      EXPECT_EQ(found->as<uint32_t>()[slices::kDone], 0u);
      EXPECT_EQ(found->as<uint32_t>()[slices::kGrid], 0u);
    }
    after.assign(state->as<uint32_t>(), state->as<uint32_t>() + state::kWords);
    return tokens->as<uint32_t>()[0];
  }

  // Threefry-2x32-20, written independently of the kernel's unrolled form.
  static double uniform01(uint64_t seed, uint32_t counter) {
    uint32_t key[3] = {uint32_t(seed), uint32_t(seed >> 32), 0};
    key[2] = key[0] ^ key[1] ^ 0x1BD11BDAu;
    uint32_t x[2] = {counter + key[0], key[1]};
    const int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    for (int block = 0; block < 5; ++block) {
      for (int r : rotations[block % 2]) {
        x[0] += x[1];
        x[1] = (x[1] << r | x[1] >> (32 - r)) ^ x[0];
      }
      x[0] += key[(block + 1) % 3];
      x[1] += key[(block + 2) % 3] + block + 1;
    }
    return (x[0] >> 8) * 0x1p-24;
  }

  // What the logits are with the penalty.
  static std::vector<float> penalised(std::vector<float> logits, const Settings &s) {
    if (s.penalty != 0)
      for (uint32_t id : s.seen)
        logits[id] = logits[id] > 0 ? logits[id] / s.penalty : logits[id] * s.penalty;
    return logits;
  }

  // The ids that top-k, then top-p, then min-p leave, by sorting.
  static std::vector<uint32_t> candidates(const std::vector<float> &logits, const Settings &s) {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < logits.size(); ++i)
      if (!std::isnan(logits[i]))
        order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return logits[a] > logits[b]; });
    if (s.topK && s.topK < order.size())
      order.resize(s.topK);
    double total = 0, sum = 0;
    auto mass = [&](uint32_t id) {
      return std::exp((double(logits[id]) - logits[order[0]]) / s.temperature);
    };
    for (uint32_t id : order)
      total += mass(id);
    if (s.topP < 1)
      for (size_t n = 0; n < order.size(); ++n)
        if ((sum += mass(order[n])) >= double(s.topP) * total * (1 - 1e-6)) {
          order.resize(n + 1);
          break;
        }
    llvm::erase_if(order, [&](uint32_t id) { return mass(id) < s.minP; });
    return order;
  }

  // The id that the kernel's order of summation gives, or -1 when the random number is too near a
  // border.
  static int64_t expectedDraw(const std::vector<float> &logits, const Settings &s) {
    auto allowed = candidates(logits, s);
    auto order = allowed;
    auto owner = [](uint32_t id) { return id / 4 % 64; };
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::make_pair(owner(a), a) < std::make_pair(owner(b), b);
    });
    double total = 0, sum = 0, u = uniform01(s.seed, s.outputCount);
    auto mass = [&](uint32_t id) {
      return std::exp((double(logits[id]) - logits[allowed[0]]) / s.temperature);
    };
    for (uint32_t id : order)
      total += mass(id);
    for (uint32_t id : order) {
      sum += mass(id);
      if (std::abs(sum - u * total) < 1e-5 * total)
        return -1;
      if (sum > u * total)
        return id;
    }
    return -1;
  }

  static constexpr uint32_t kCapacity = 8;
  std::vector<uint32_t> slices = {256}; // also run in slices of so many ids
  std::vector<uint32_t> words, after;
  TestBuffer *output = nullptr, *tokens = nullptr, *seen = nullptr;
};

TEST_P(SampleKernel, GreedyTakesTheLargestAndTheLowestIdOnATie) {
  for (uint32_t vocab : {1u, 31u, 33u, 127u, 1000u, 5003u}) {
    auto logits = randomVector(vocab, 10);
    uint32_t best = uint32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
    EXPECT_EQ(sample(logits, {}), best);
    EXPECT_EQ(sample(logits, {}, 3), best) << "in another row";
    logits[vocab / 2] = logits[vocab - 1] = 20;
    EXPECT_EQ(sample(logits, {}), vocab / 2);
  }
}

TEST_P(SampleKernel, GreedyWithOddNumbers) {
  float inf = INFINITY;
  EXPECT_EQ(sample({-inf, NAN, -5, NAN}, {}), 2u);
  EXPECT_EQ(sample({NAN, NAN, -inf}, {}), 2u);
  EXPECT_EQ(sample({NAN, NAN, NAN}, {}), 0u);
  EXPECT_EQ(sample({-1, -0.0f, 0.0f}, {}), 1u) << "zeros are equal";
  EXPECT_EQ(sample({1, inf, inf}, {}), 1u);
  EXPECT_EQ(sample({-3, -2, -7}, {}), 1u);
  EXPECT_EQ(sample({NAN, -inf}, {0.7f}), 1u) << "drawing never takes a NaN";
  EXPECT_EQ(sample({NAN, NAN}, {0.7f}), 0u);
  EXPECT_EQ(sample({0, inf, 3}, {0.7f}), 1u);
}

// So many that every invocation of the widest variant goes over its share several times.
TEST_P(SampleKernel, OfALargeVocabulary) {
  const uint32_t vocab = 40003;
  auto logits = randomVector(vocab, 5);
  for (uint32_t topK : {0u, 40u})
    for (float topP : {1.0f, 0.9f}) {
      Settings s{0.7f, topK, topP, 7};
      const int64_t want = expectedDraw(logits, s);
      const uint32_t got = sample(logits, s);
      EXPECT_TRUE(want < 0 || got == want) << got << " instead of " << want << ", k " << topK << " p " << topP;
    }
  logits[vocab - 1] = logits[33333] = 20;
  EXPECT_EQ(sample(logits, {}), 33333u);
}

// Ties, infinities and NaN in all slices; the last one is short, with a last vec4 that is. Every seed gives the same id, however many
// workgroups and invocations look for it.
TEST_P(SampleKernel, SlicesOfLargeVocabularies) {
  int compared = 0;
  for (uint32_t vocab : {6001u, 16000u, 50257u, 128256u}) {
    slices = {vocab < 20000 ? 1024u : 2048u};
    if (vocab == 6001)
      slices.push_back(4096);
    auto logits = randomVector(vocab, 8);
    for (uint32_t id = 0; id < vocab; ++id)
      if (id % 7 == 0)
        logits[id] = std::round(logits[id]); // a seventh of the ids shares seventeen numbers
      else if (id % 101 == 0)
        logits[id] = NAN;
      else if (id % 103 == 0)
        logits[id] = -INFINITY;
    for (Settings s : {Settings{0.7f, 0, 1}, {0.8f, 40, 1}, {1.3f, 0, 0.9f}, {1, 1000, 0.95f}, {0.9f, vocab / 2, 0.99f, 1, 0, 0.01f},
                       {1, 64, 0.5f, 1, 0, 0, 1.2f, {7, 700, vocab - 1}}})
      for (uint64_t seed : {3ull, 0x0fedcba987654321ull}) {
        s.seed = seed, s.outputCount = uint32_t(random() % 7);
        const int64_t want = expectedDraw(penalised(logits, s), s);
        const uint32_t got = sample(logits, s);
        compared += want >= 0;
        EXPECT_TRUE(want < 0 || got == want) << got << " instead of " << want << " of " << vocab << ", k " << s.topK << " p " << s.topP
                                             << " seed " << seed;
      }
    logits[vocab - 1] = logits[vocab / 2 + 1] = 20;
    EXPECT_EQ(sample(logits, {}), vocab / 2 + 1);
    EXPECT_EQ(sample(logits, {0, 0, 1, 1, 0, 0, 2, {vocab / 2 + 1}}, 1), vocab - 1);
  }
  EXPECT_GE(compared, 40);
}

// Cuts in the middle of ids with the same logit, which lie in several slices: before, in and behind a slice, and at its border.
TEST_P(SampleKernel, SlicesCutTiesByLowerId) {
  slices = {256};
  std::vector<float> logits(1001, -3.0f);
  std::vector<uint32_t> equal;
  for (uint32_t id = 5; id < 1001; id += 83) // three or four a slice
    logits[id] = 1, equal.push_back(id);
  for (uint32_t count : {1u, 2u, 4u, 5u, 7u, 8u, 11u, 12u}) {
    std::set<uint32_t> byCount, byMass;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      byCount.insert(sample(logits, {0.1f, count, 1, seed}));
      // exp(-40) of the others: the share of `count`, less a half, of the equal ones
      byMass.insert(sample(logits, {0.1f, 0, (float(count) - 0.5f) / float(equal.size()), seed}));
    }
    for (const std::set<uint32_t> *drawn : {&byCount, &byMass})
      for (uint32_t id : *drawn)
        EXPECT_LE(id, equal[count - 1]) << count;
    // Some of the last third are among 20 draws.
    EXPECT_GE(*byCount.rbegin(), equal[count * 2 / 3]) << count;
    EXPECT_GE(*byMass.rbegin(), equal[count * 2 / 3]) << count;
  }
}

TEST_P(SampleKernel, DrawsAsTheReferenceDoes) {
  int compared = 0;
  for (uint32_t vocab : {5u, 127u, 1000u})
    for (float temperature : {0.3f, 1.0f, 2.0f})
      for (uint32_t topK : {0u, 1u, 4u, 40u})
        for (float topP : {1.0f, 0.9f, 0.3f}) {
          auto logits = randomVector(vocab, 5);
          for (uint32_t i = 0; i + 3 < vocab; i += 3)
            logits[i] = std::round(logits[i]); // many ties
          for (uint64_t seed : {7ull, 0x123456789abcull}) {
            Settings s{temperature, topK, topP, seed, uint32_t(random() % 5)};
            int64_t want = expectedDraw(logits, s);
            uint32_t got = sample(logits, s);
            if (want < 0)
              continue;
            ++compared;
            EXPECT_EQ(got, want) << "vocab " << vocab << " t " << temperature << " k " << topK
                                 << " p " << topP;
            EXPECT_EQ(sample(logits, s), got) << "the same again";
          }
        }
  EXPECT_GT(compared, 180);
}

TEST_P(SampleKernel, TopKAndTopPCutTiesByLowerId) {
  std::vector<float> logits(70, 1.0f); // all tie
  std::set<uint32_t> k, p;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    k.insert(sample(logits, {1, 3, 1, seed}));
    p.insert(sample(logits, {1, 0, 0.07f, seed})); // 4.9 of 70
  }
  EXPECT_EQ(k, (std::set<uint32_t>{0, 1, 2}));
  EXPECT_EQ(p, (std::set<uint32_t>{0, 1, 2, 3, 4}));
}

TEST_P(SampleKernel, MinPKeepsWhatIsLikelyEnough) {
  // Shares of the likeliest: 1, 0.5, 0.25, 0.1.
  const std::vector<float> logits = {std::log(0.1f), 0, std::log(0.25f), std::log(0.5f)};
  auto drawn = [&](float minP, float temperature) {
    std::set<uint32_t> ids;
    for (uint64_t seed = 0; seed < 80; ++seed)
      ids.insert(sample(logits, {temperature, 0, 1, seed, 0, minP}));
    return ids;
  };
  EXPECT_EQ(drawn(0.3f, 1), (std::set<uint32_t>{1, 3}));
  EXPECT_EQ(drawn(0.2f, 1), (std::set<uint32_t>{1, 2, 3}));
  EXPECT_EQ(drawn(1, 1), (std::set<uint32_t>{1}));
  EXPECT_EQ(drawn(0.3f, 2), (std::set<uint32_t>{0, 1, 2, 3})) << "after the temperature: the shares are their roots";
  EXPECT_EQ(sample(logits, {0, 0, 1, 1, 0, 1}), 1u) << "greedy does not ask";
}

TEST_P(SampleKernel, PenaltyPushesDownWhatWasThere) {
  EXPECT_EQ(sample({3, 2, 1}, {0, 0, 1, 1, 0, 0, 2, {0}}), 1u);
  EXPECT_EQ(seen->as<uint32_t>()[0], 3u) << "the chosen id joins them";
  EXPECT_EQ(sample({-3, -2, -2.5f}, {0, 0, 1, 1, 0, 0, 2, {1}}), 2u) << "negative logits are multiplied";
  EXPECT_EQ(sample({3, 2, 1}, {0, 0, 1, 1, 0, 0, 1.4f, {0}}), 0u) << "3 / 1.4 is still above 2";
  EXPECT_EQ(sample({3, 2, 1}, {0, 0, 1, 1, 0, 0, 0.5f, {1}}), 1u) << "below 1 it favours";
  EXPECT_EQ(sample({3, 2, 1}, {0, 0, 1, 1, 0, 0, 0, {0}}), 0u) << "off";
  EXPECT_EQ(seen->as<uint32_t>()[0], 1u) << "off: nothing is written";
  for (uint32_t vocab : {1u, 33u, 127u, 1000u}) { // in every word and lane
    auto logits = randomVector(vocab, 10);
    Settings s{0, 0, 1, 1, 0, 0, 1.7f};
    for (int round = 0; round < 40; ++round) {
      auto now = penalised(logits, s);
      const uint32_t want = uint32_t(std::max_element(now.begin(), now.end()) - now.begin());
      ASSERT_EQ(sample(logits, s), want) << "vocab " << vocab << " round " << round;
      s.seen.insert(want);
      ASSERT_EQ(seen->as<uint32_t>()[want / 32] >> want % 32 & 1, 1u);
    }
  }
}

TEST_P(SampleKernel, DrawsWithMinPAndPenaltyAsTheReferenceDoes) {
  int compared = 0;
  for (uint32_t vocab : {5u, 127u, 1000u})
    for (float minP : {0.0f, 0.05f, 0.5f})
      for (float penalty : {0.0f, 1.3f, 0.8f})
        for (auto [topK, topP] : {std::pair(0u, 1.0f), {40u, 0.9f}})
          for (uint64_t seed : {7ull, 0x123456789abcull}) {
            auto logits = randomVector(vocab, 5);
            Settings s{0.8f, topK, topP, seed, uint32_t(random() % 5), minP, penalty};
            for (uint32_t id = 0; id < vocab; id += 3)
              s.seen.insert(id);
            const int64_t want = expectedDraw(penalised(logits, s), s);
            const uint32_t got = sample(logits, s);
            if (want < 0)
              continue;
            ++compared;
            EXPECT_EQ(got, want) << "vocab " << vocab << " min-p " << minP << " penalty " << penalty;
          }
  EXPECT_GT(compared, 90);
}

TEST_P(SampleKernel, FrequenciesFollowTheDistribution) {
  std::vector<float> logits = {std::log(0.5f), std::log(0.25f), std::log(0.125f), std::log(0.125f)};
  slices.clear(); // of so few ids they are tested above
  std::vector<int> counts(4);
  for (uint32_t i = 0; i < 2000; ++i)
    ++counts[sample(logits, {1, 0, 1, 99, i})];
  EXPECT_NEAR(counts[0], 1000, 90); // four standard deviations
  EXPECT_NEAR(counts[1], 500, 78);
  EXPECT_NEAR(counts[2], 250, 60);
}

TEST_P(SampleKernel, MovesTheStateOn) {
  words[state::kPosition] = 6, words[state::kLimit] = 8;
  EXPECT_EQ(sample({0, 9, 1}, {0, 0, 1, 1, 2}), 1u);
  EXPECT_EQ(after[state::kPosition], 7u);
  EXPECT_EQ(after[state::kCount], 1u);
  EXPECT_EQ(after[state::kOutputCount], 3u);
  EXPECT_EQ(after[state::kFinished], 0u);
  EXPECT_EQ(output->as<uint32_t>()[2], 1u);
  expectUntouched(output, 0, 2);
  expectUntouched(output, 3, kCapacity);

  words[state::kPosition] = 7; // meets the limit
  sample({0, 9, 1}, {});
  EXPECT_EQ(after[state::kPosition], 8u);
  EXPECT_EQ(after[state::kCount], 0u);
  EXPECT_EQ(after[state::kFinished], 2u);

  words[state::kPosition] = 2, words[state::kNumEos] = 2, words[state::kEos] = 5,
  words[state::kEos + 1] = 1;
  EXPECT_EQ(sample({0, 9, 1}, {}), 1u);
  EXPECT_EQ(after[state::kCount], 0u);
  EXPECT_EQ(after[state::kFinished], 1u);
  EXPECT_EQ(after[state::kOutputCount], 1u);
  EXPECT_EQ(output->as<uint32_t>()[0], 1u) << "the end token is written";

  words[state::kNumEos] = 1; // 1 is no end token any more
  sample({0, 9, 1}, {});
  EXPECT_EQ(after[state::kFinished], 0u);

  sample({0, 9, 1}, {0, 0, 1, 1, kCapacity}); // a full output buffer
  expectUntouched(output, 0, kCapacity);

  words[state::kCount] = 0; // nothing at all happens
  sample({0, 9, 1}, {});
  EXPECT_EQ(after, words);
  expectUntouched(output, 0, kCapacity);
  expectUntouched(tokens, 0, 2);
}

XFMR_ON_EVERY_TARGET(SampleKernel);

} // namespace
} // namespace xfmr::codegen::test
