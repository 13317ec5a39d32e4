// What the kernel tests share: running a kernel on the target that is the test's parameter, buffers filled with seeded
// numbers and f16/bf16 packing. A test knows nothing of targets: it says what lies where and what must come out.
#pragma once
#include "reference/ops/Activation.h"
#include "runtime/plan/State.h"
#include "test/codegen/CodeWeights.h"
#include "test/codegen/CpuKernels.h"
#include "test/codegen/HostBuffer.h"
#include "test/codegen/VulkanKernels.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace xfmr::codegen::test {

inline uint16_t toHalf(float value) {
  _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}
inline float fromHalf(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, 2);
  return static_cast<float>(half);
}
inline uint16_t toBfloat(float value) {
  return static_cast<uint16_t>(floatBits(value) >> 16);
}
inline float fromBfloat(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

// A matrix [rows, cols] with what the device sees of it: packed, padded rows and columns, zeros in
// the pad.
struct Matrix {
  uint32_t rows = 0, cols = 0;
  std::vector<float> values; // [rows, cols], after rounding to the stored type
  float unit = 1;            // of codes: CodeMeaning's
  uint32_t firstRow = 0;     // of a part of a matrix of codes: where it begins
  float at(uint32_t r, uint32_t c) const { return values[size_t(r) * cols + c]; }
};

enum class TestTarget : uint8_t { Vulkan, CpuV2, CpuV3, CpuV4 };

inline cpu::Level levelOf(TestTarget target) {
  return static_cast<cpu::Level>(static_cast<unsigned>(target) -
                                 static_cast<unsigned>(TestTarget::CpuV2));
}
inline std::string nameOf(TestTarget target) {
  return target == TestTarget::Vulkan ? "vulkan" : std::string("cpu_") + cpu::facts(levelOf(target)).name;
}

inline void PrintTo(TestTarget target, std::ostream *out) { *out << nameOf(target); }

// Those of this machine. Levels of dot products have code of their own only for products (CpuProductsTest, CpuExpertsTest).
inline std::vector<TestTarget> cpuTargets() {
  std::vector<TestTarget> result;
  for (cpu::Level level : cpu::test::runnableLevels())
    if (!cpu::facts(level).bfloatDots)
      result.push_back(static_cast<TestTarget>(static_cast<unsigned>(TestTarget::CpuV2) + static_cast<unsigned>(level)));
  return result;
}
inline std::vector<TestTarget> everyTarget() {
  std::vector<TestTarget> result = cpuTargets();
  result.insert(result.begin(), TestTarget::Vulkan);
  return result;
}

// Runs a suite of TEST_Ps on the targets of this machine.
#define XFMR_ON_TARGETS(Suite, targets)                                                            \
  INSTANTIATE_TEST_SUITE_P(                                                                        \
      , Suite, ::testing::ValuesIn(targets),                                                       \
      [](const ::testing::TestParamInfo<TestTarget> &info) { return nameOf(info.param); })
#define XFMR_ON_EVERY_TARGET(Suite) XFMR_ON_TARGETS(Suite, everyTarget())

class KernelTest : public ::testing::TestWithParam<TestTarget> {
protected:
  static bool onVulkan() { return GetParam() == TestTarget::Vulkan; }

  void TearDown() override {
    if (onVulkan()) {
      EXPECT_EQ(VulkanKernels::get().device.messages, 0)
          << "the validation layer had something to say";
    }
    releaseBuffers();
  }

  // Each buffer is a memory object of its own, of which some drivers hold no more than 4096: a test
  // with more calls this between its cases.
  void releaseBuffers() {
    for (auto &buffer : buffers)
      EXPECT_TRUE(buffer->slackIntact())
          << "a kernel wrote past the end of a buffer of " << buffer->bytes << " bytes";
    buffers.clear();
  }

  // How many forms of a kernel this machine can run, best first, the one every device can run last; what they are.
  template <typename Spec> size_t variants(const Spec &spec) {
    return onVulkan() ? VulkanKernels::get().pipelines(spec).size() : 1;
  }
  template <typename Spec> std::string variantLabel(const Spec &spec, size_t variant) {
    return onVulkan() ? VulkanKernels::get().pipelines(spec)[variant]->label() : nameOf(GetParam());
  }

  // Runs a kernel on buffers given in binding order; with a variant index, another than the last.
  template <typename Spec, typename Params>
  void run(const Spec &spec, const Params &params, const std::vector<TestBuffer *> &bound,
           int variant = -1) {
    ASSERT_EQ(bound.size(), spec.bindings().size());
    if (onVulkan())
      VulkanKernels::get().run(spec, params, bound, variant);
    else
      CpuKernels::get().run(spec, params, bound, levelOf(GetParam()));
  }

  TestBuffer *bytes(size_t size) {
    if (onVulkan())
      buffers.push_back(std::make_unique<DeviceBuffer>(VulkanKernels::get().device, size));
    else
      buffers.push_back(std::make_unique<HostBuffer>(size));
    return buffers.back().get();
  }
  TestBuffer *floats(size_t count) { return bytes(count * 4); }
  TestBuffer *ids(const std::vector<uint32_t> &values) {
    TestBuffer *buffer = bytes(std::max<size_t>(values.size(), 1) * 4);
    std::copy(values.begin(), values.end(), buffer->as<uint32_t>());
    return buffer;
  }
  TestBuffer *state(uint32_t position, uint32_t count, uint32_t total = 0, uint32_t source = 0) {
    std::vector<uint32_t> words(state::kWords);
    words[state::kTotal] = total;
    words[state::kSource] = source;
    words[state::kPosition] = position;
    words[state::kCount] = count;
    return ids(words);
  }

  float uniform(float low = -1, float high = 1) {
    return std::uniform_real_distribution<float>(low, high)(random);
  }
  Matrix randomMatrix(uint32_t rows, uint32_t cols, WeightType type = WeightType::F32,
                      float scale = 1) {
    Matrix m{rows, cols, std::vector<float>(size_t(rows) * cols), scale};
    if (schemeOf(type)) {
      for (size_t i = 0; i < m.values.size(); ++i) {
        const CodeMeaning meaning(type, scale, static_cast<uint32_t>(i / cols), static_cast<uint32_t>(i % cols / 32));
        m.values[i] = meaning.value(static_cast<unsigned>(random() % (2 * meaning.half)));
      }
      return m;
    }
    for (float &v : m.values) {
      v = uniform(-scale, scale);
      v = type == WeightType::F16    ? fromHalf(toHalf(v))
          : type == WeightType::BF16 ? fromBfloat(toBfloat(v))
                                     : v;
    }
    return m;
  }
  // As a weight, in the target's layout of matrices; of `groups` matrices, as the experts of a mixture are stacked.
  TestBuffer *weight(const Matrix &m, WeightType type, uint32_t groups = 1) {
    if (schemeOf(type)) {
      const std::vector<uint8_t> packed = codePanels(type, groups, m.rows / groups, m.cols, m.unit, m.firstRow,
                                                     [&](uint32_t r, uint32_t c) { return m.at(r, c); });
      TestBuffer *buffer = bytes(packed.size());
      std::memcpy(buffer->as<void>(), packed.data(), packed.size());
      return buffer;
    }
    return onVulkan() ? rowMajor(m, type) : panels(m, type, groups);
  }
  // f32, f16 [groups][panels][cols][16], bf16 [groups][panels][cols/2][16][2]: each group starts a panel, columns are
  // padded to 8, zeros in the pad.
  TestBuffer *panels(const Matrix &m, WeightType type, uint32_t groups) {
    const size_t each = m.rows / groups, panels = (each + 15) / 16, cols = paddedWidth(m.cols),
                 bytesOfAll = groups * panels * 16 * cols * (type == WeightType::F32 ? 4 : 2);
    TestBuffer *buffer = bytes(bytesOfAll);
    std::memset(buffer->as<void>(), 0, bytesOfAll);
    for (uint32_t r = 0; r < m.rows; ++r)
      for (uint32_t c = 0; c < m.cols; ++c) {
        const size_t row = r % each, panel = (r / each * panels + row / 16) * 16 * cols, lane = row % 16;
        if (type == WeightType::F32)
          buffer->as<float>()[panel + c * 16 + lane] = m.at(r, c);
        else if (type == WeightType::F16)
          buffer->as<uint16_t>()[panel + c * 16 + lane] = toHalf(m.at(r, c));
        else
          buffer->as<uint16_t>()[panel + (c / 2 * 16 + lane) * 2 + c % 2] = toBfloat(m.at(r, c));
      }
    return buffer;
  }
  // [paddedWidth(rows), paddedWidth(cols)] of `type`, zeros in the pad.
  TestBuffer *rowMajor(const Matrix &m, WeightType type) {
    size_t rows = paddedWidth(m.rows), cols = paddedWidth(m.cols),
           size = type == WeightType::F32 ? 4 : 2;
    TestBuffer *buffer = bytes(rows * cols * size);
    std::memset(buffer->as<void>(), 0, rows * cols * size);
    for (uint32_t r = 0; r < m.rows; ++r)
      for (uint32_t c = 0; c < m.cols; ++c) {
        if (type == WeightType::F32)
          buffer->as<float>()[r * cols + c] = m.at(r, c);
        else
          buffer->as<uint16_t>()[r * cols + c] = stored(m.at(r, c), type);
      }
    return buffer;
  }
  static uint16_t stored(float value, WeightType type) {
    return type == WeightType::F16 ? toHalf(value) : toBfloat(value);
  }
  // As activations: rows with a stride and an offset (floats); what is not a row or its pad is NaN,
  // so that reading it shows.
  TestBuffer *activations(const Matrix &m, Rows rows) {
    size_t count = rows.offset + size_t(rows.stride) * m.rows;
    if (rows.stride == 0)
      count = rows.offset + paddedWidth(m.cols);
    TestBuffer *buffer = floats(count);
    std::fill_n(buffer->as<float>(), count, NAN);
    place(buffer, m, rows);
    return buffer;
  }
  void place(TestBuffer *buffer, const Matrix &m, Rows rows) {
    for (uint32_t r = 0; r < m.rows; ++r)
      for (uint32_t c = 0; c < paddedWidth(m.cols); ++c)
        buffer->as<float>()[rows.offset + size_t(rows.stride) * r + c] =
            c < m.cols ? m.at(r, c) : 0.0f;
  }
  // An f32 vector padded with zeros.
  TestBuffer *vector(const std::vector<float> &values) {
    size_t count = paddedWidth(static_cast<uint32_t>(values.size()));
    TestBuffer *buffer = floats(count);
    std::fill_n(buffer->as<float>(), count, 0.0f);
    std::copy(values.begin(), values.end(), buffer->as<float>());
    return buffer;
  }
  std::vector<float> randomVector(uint32_t size, float scale = 1) {
    return randomMatrix(1, size, WeightType::F32, scale).values;
  }

  // Rows of `out` against `expected` within tolerance * (1 + |expected|), and zeros in the pad.
  void expectRows(TestBuffer *out, Rows rows, const Matrix &expected, double tolerance) {
    double worst = 0;
    for (uint32_t r = 0; r < expected.rows; ++r)
      for (uint32_t c = 0; c < paddedWidth(expected.cols); ++c) {
        float want = c < expected.cols ? expected.at(r, c) : 0.0f;
        float got = out->as<float>()[rows.offset + size_t(rows.stride) * r + c];
        double error = std::abs(double(got) - want) / (1 + std::abs(double(want)));
        if (c >= expected.cols && got != 0)
          error = INFINITY;
        if (!(error <= tolerance)) {
          FAIL() << "row " << r << " column " << c << " of " << expected.rows << "x"
                 << expected.cols << ": got " << got << ", expected " << want;
        }
        worst = std::max(worst, error);
      }
  }
  // Rows that must not have been touched still hold the pattern of a fresh buffer.
  void expectUntouched(TestBuffer *out, size_t from, size_t to) {
    for (size_t i = from; i < to; ++i)
      ASSERT_EQ(out->as<uint32_t>()[i], 0xA5A5A5A5u) << "word " << i << " was written";
  }

  std::mt19937 random{7};

private:
  std::vector<std::unique_ptr<TestBuffer>> buffers;
};

// The witness' function; None is x.
inline double referenceActivation(Activation kind, double x) {
  return kind == Activation::None ? x : reference::activation(*symbolizeActivationKind(word(kind)), x);
}
// Every function but None.
inline std::vector<Activation> allActivations() {
  std::vector<Activation> all;
  for (size_t i = 1; i < std::size(Words<Activation>::all); ++i)
    all.push_back(static_cast<Activation>(i));
  return all;
}

} // namespace xfmr::codegen::test
