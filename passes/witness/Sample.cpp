// sample where no chance is left: greedy with a penalty, and a draw of which top-p leaves one id. Its parts alike: the best of two
// slices, a digit of a cut, and a draw of which the cut leaves one of several equal ids.
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include "runtime/plan/State.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

namespace {

namespace slices = codegen::slices;
using codegen::SamplePart;
constexpr uint32_t kVocab = 1003, kRow = 1, kPosition = 7, kOutputs = 3, kCapacity = 8;
// Of parts: two slices, the second of them short.
constexpr uint32_t kSlice = 512, kSlices = 2;

/// The monotone image of a number that is none of NaN and -0 (passes/codegen/builder/OrderedKey.h).
uint32_t keyOf(double x) {
  const uint32_t bits = selftest::bitsOf(static_cast<float>(x));
  return bits >> 31 ? ~bits : bits ^ 0x80000000u;
}

selftest::CaseT caseOf(const codegen::SampleSpec &spec, float temperature, uint32_t topK, float topP, float penalty) {
  CaseBuilder c(spec.name(), 15);
  codegen::SampleParams p;
  p.vocab = kVocab, p.rowStride = paddedWidth(kVocab), p.outputCapacity = kCapacity;
  p.slice = spec.part == SamplePart::Whole ? 0 : kSlice;
  c.launch(spec, p);
  std::vector<uint32_t> words(state::kWords);
  words[state::kPosition] = kPosition, words[state::kCount] = 1, words[state::kLimit] = 100,
  words[state::kOutputCount] = kOutputs;
  words[state::kSampleRow] = kRow, words[state::kTemperature] = selftest::bitsOf(temperature),
  words[state::kTopK] = topK;
  words[state::kTopP] = selftest::bitsOf(topP), words[state::kPenalty] = penalty > 0 ? selftest::bitsOf(penalty) : 0;
  c.words(words);
  // Ties are frequent; the lowest id wins. With a penalty those at the top were there before.
  Tensor logits = c.rows(kRow + 1, kVocab, {paddedWidth(kVocab), 0});
  std::vector<uint32_t> seen((kVocab + 31) / 32);
  uint32_t best = 0;
  double largest = -INFINITY;
  for (uint32_t id = 0; id < kVocab; ++id) {
    double logit = logits.row(kRow)[id];
    if (penalty > 0 && logit > 0.95) {
      seen[id / 32] |= 1u << id % 32;
      logit /= penalty;
    }
    if (logit > largest)
      largest = logit, best = id;
  }
  c.out(kCapacity);
  c.out(2);
  c.words(seen);
  if (spec.part != SamplePart::Whole) {
    std::vector<uint32_t> head(p.slicesWords());
    if (spec.part == SamplePart::Pick) { // the lowest of those at the top
      const double *row = logits.row(kRow);
      head[slices::kGrid] = kSlices, head[slices::kBestKey] = head[slices::kCutKey] = keyOf(largest), head[slices::kBestId] = kVocab;
      head[slices::kCutTies] = selftest::bitsOf(1), head[slices::kCutDigit] = 17, head[slices::kLimited] = 1;
      for (uint32_t slice = 0; slice < kSlices; ++slice) {
        const auto ties = std::count(row + slice * kSlice, row + std::min(kVocab, (slice + 1) * kSlice), largest);
        head[slices::kHead + slice * slices::kWords + 17] = selftest::bitsOf(static_cast<float>(ties));
      }
    }
    c.words(head);
    c.expectWords(5, 0, {0, 0});
  }
  c.expectWords(2, kOutputs, {best});
  c.expectWords(3, 0, {best});
  c.expectWords(0, state::kPosition, {kPosition + 1});
  c.expectWords(0, state::kOutputCount, {kOutputs + 1, 0});
  return c.take();
}

/// The first digit of top-k, and what is left to be found of its ids.
selftest::CaseT cutCase(const codegen::SampleSpec &spec) {
  constexpr uint32_t kTop = 300;
  CaseBuilder c(spec.name(), 16);
  codegen::SampleParams p;
  p.vocab = kVocab, p.rowStride = paddedWidth(kVocab), p.outputCapacity = kCapacity, p.slice = kSlice;
  c.launch(spec, p);
  std::vector<uint32_t> words(state::kWords);
  words[state::kCount] = 1, words[state::kSampleRow] = kRow, words[state::kTopK] = kTop;
  words[state::kTemperature] = words[state::kTopP] = selftest::bitsOf(1);
  c.words(words);
  Tensor logits = c.rows(kRow + 1, kVocab, {paddedWidth(kVocab), 0});
  std::vector<uint32_t> keys;
  for (uint32_t id = 0; id < kVocab; ++id)
    keys.push_back(keyOf(logits.row(kRow)[id] == 0 ? 0.0 : logits.row(kRow)[id]));
  std::sort(keys.rbegin(), keys.rend());
  const uint32_t digit = keys[kTop - 1] >> 24;
  const auto above = std::count_if(keys.begin(), keys.end(), [&](uint32_t key) { return key >> 24 > digit; });
  c.words(std::vector<uint32_t>((kVocab + 31) / 32));
  std::vector<uint32_t> head(p.slicesWords());
  head[slices::kGrid] = kSlices, head[slices::kBestKey] = keys[0], head[slices::kCutKey] = 1;
  c.words(head);
  c.expectWords(3, slices::kDone, {0, kSlices});
  c.expectWords(3, slices::kPrefix, {digit << 24, selftest::bitsOf(static_cast<float>(kTop - above)), 1});
  return c.take();
}

} // namespace

Cases witness::casesOf(const codegen::SampleSpec &spec) {
  Cases made;
  switch (spec.part) {
  case SamplePart::Whole:
    made.push_back(caseOf(spec, 0, 0, 1, 2));
    made.push_back(caseOf(spec, 0.8f, 40, 1e-6f, 0));
    break;
  case SamplePart::Best: made.push_back(caseOf(spec, 0, 0, 1, 2)); break;
  case SamplePart::Cut: made.push_back(cutCase(spec)); break;
  case SamplePart::Pick: made.push_back(caseOf(spec, 0.8f, 0, 1, 0)); break;
  }
  return made;
}
