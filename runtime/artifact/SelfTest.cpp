// See SelfTest.h.
#include "runtime/artifact/SelfTest.h"
#include "runtime/artifact/SelfTestNumbers.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

using namespace xfmr;
using namespace xfmr::artifact;
using selftest::Element;

namespace {

constexpr uint32_t kMaxWords = 1u << 24; // of a buffer; cases are small

uint64_t bytesOf(Element element) {
  return element == Element::f16 || element == Element::bf16 ? 2 : 4;
}

template <class Vector> uint64_t sizeOf(const Vector *vector) {
  return vector ? vector->size() : 0;
}

bool fits(const selftest::Numbers &numbers, uint64_t words) {
  if (numbers.element() == Element::u32 || numbers.padded() < numbers.columns())
    return false;
  if (!numbers.rows() || !numbers.padded())
    return true;
  const uint64_t end = numbers.offset() + uint64_t(numbers.stride()) * (numbers.rows() - 1) + numbers.padded();
  return end * bytesOf(numbers.element()) <= words * 4;
}

bool fits(const selftest::Result &result, const selftest::Case &test) {
  if (result.binding() >= test.buffers()->size() || result.element() == Element::bf16)
    return false;
  const uint64_t count = result.element() == Element::u32 ? sizeOf(result.words()) : sizeOf(result.floats());
  return (result.offset() + count) * bytesOf(result.element()) <=
         test.buffers()->Get(result.binding())->words() * uint64_t(4);
}

/// Why a case cannot be run; empty: it can.
std::string faultOf(const selftest::Case &test, const program::Kernel &kernel) {
  const TargetLimits limits = limitsOf(Target::vulkan);
  if (test.buffers()->size() != kernel.bindings()->size())
    return std::to_string(test.buffers()->size()) + " buffers for " + std::to_string(kernel.bindings()->size()) +
           " bindings";
  if (test.grid()->size() != 3 || sizeOf(test.push()) > limits.pushWords)
    return "a grid of " + std::to_string(test.grid()->size()) + " numbers, " + std::to_string(sizeOf(test.push())) +
           " push words";
  for (uint32_t extent : *test.grid())
    if (!extent || extent > limits.gridDimension)
      return "a grid extent of " + std::to_string(extent);
  for (const selftest::Buffer *buffer : *test.buffers()) {
    bool inside = buffer->words() && buffer->words() <= kMaxWords && sizeOf(buffer->stored()) <= buffer->words();
    uint64_t written = 0; // rows may lie on top of each other, as often as the file says
    for (uint32_t i = 0; inside && i < sizeOf(buffer->numbers()); ++i) {
      const selftest::Numbers &numbers = *buffer->numbers()->Get(i);
      written += uint64_t(numbers.rows()) * std::max(numbers.padded(), 1u);
      inside = fits(numbers, buffer->words()) && written <= 2 * uint64_t(kMaxWords);
    }
    if (!inside)
      return "a buffer of " + std::to_string(buffer->words()) + " words that does not hold what is put there";
  }
  for (const selftest::Result *result : *test.results())
    if (!fits(*result, test))
      return "a result outside of binding " + std::to_string(result->binding());
  return "";
}

} // namespace

Status xfmr::artifact::readSelfTest(const Artifact &artifact, const selftest::SelfTest *&out) {
  auto fail = [&](const std::string &what) { return Status::error("'" + artifact.path() + "': " + what); };
  const program::Program *program = artifact.program(Target::vulkan);
  const TensorView *tensor = artifact.tensor(kSelfTestTensor);
  if (!program || !tensor)
    return fail(
        "there is no self-test in it: it holds none without a program for Vulkan, and those compiled before there were "
        "self-tests have none");
  flatbuffers::Verifier verifier(tensor->data, tensor->byteSize);
  if (!verifier.VerifyBuffer<selftest::SelfTest>(selftest::SelfTestIdentifier()))
    return fail("its self-test is damaged");
  std::map<std::string_view, const program::Kernel *> kernels;
  for (const program::Kernel *kernel : *program->kernels())
    kernels[kernel->name()->string_view()] = kernel;
  const auto *test = flatbuffers::GetRoot<selftest::SelfTest>(tensor->data);
  for (const selftest::Case *each : *test->cases()) {
    const std::string name = each->kernel()->str();
    auto kernel = kernels.find(name);
    if (std::string wrong = kernel == kernels.end() ? "there is no such kernel" : faultOf(*each, *kernel->second);
        !wrong.empty())
      return fail("self-test of '" + name + "': " + wrong);
  }
  out = test;
  return Status::success();
}

std::vector<uint32_t> xfmr::artifact::initialWords(const selftest::Buffer &buffer) {
  std::vector<uint32_t> words(buffer.words(), buffer.fill());
  for (uint32_t i = 0; i < sizeOf(buffer.stored()); ++i)
    words[i] = buffer.stored()->Get(i);
  for (uint32_t i = 0; i < sizeOf(buffer.numbers()); ++i) {
    const selftest::Numbers &numbers = *buffer.numbers()->Get(i);
    for (uint32_t row = 0; row < numbers.rows(); ++row)
      for (uint32_t column = 0; column < numbers.padded(); ++column) {
        const float value =
            column < numbers.columns() ? selftest::numberAt(numbers.seed(), row * numbers.columns() + column) : 0;
        const uint64_t at = numbers.offset() + uint64_t(numbers.stride()) * row + column;
        if (numbers.element() == Element::f32) {
          words[at] = selftest::bitsOf(value);
          continue;
        }
        const uint32_t bits =
            numbers.element() == Element::f16 ? selftest::halfOf(value) : selftest::bitsOf(value) >> 16;
        const uint32_t shift = at % 2 * 16;
        words[at / 2] = (words[at / 2] & ~(0xffffu << shift)) | bits << shift;
      }
  }
  return words;
}

static std::string difference(const selftest::Result &result, const std::vector<uint32_t> &words) {
  char text[128];
  if (result.element() == Element::u32) {
    for (uint32_t i = 0; i < sizeOf(result.words()); ++i)
      if (const uint32_t found = words[result.offset() + i], expected = result.words()->Get(i); found != expected) {
        std::snprintf(text, sizeof text, "word %u: %u, expected %u", result.offset() + i, found, expected);
        return text;
      }
    return "";
  }
  for (uint32_t i = 0; i < sizeOf(result.floats()); ++i) {
    const uint32_t at = result.offset() + i;
    const float found = result.element() == Element::f16
                            ? selftest::ofHalf(static_cast<uint16_t>(words[at / 2] >> (at % 2 * 16)))
                            : selftest::floatOf(words[at]);
    const float expected = result.floats()->Get(i);
    if (!(std::abs(double(found) - expected) <= result.tolerance() * (1 + std::abs(double(expected))))) {
      std::snprintf(text, sizeof text, "element %u: %.9g, expected %.9g", at, double(found), double(expected));
      return text;
    }
  }
  return "";
}

std::string xfmr::artifact::compareResults(const selftest::Case &test,
                                           const std::vector<std::vector<uint32_t>> &after) {
  for (const selftest::Result *result : *test.results())
    if (std::string wrong = difference(*result, after[result->binding()]); !wrong.empty())
      return "binding " + std::to_string(result->binding()) + ", " + wrong;
  return "";
}
