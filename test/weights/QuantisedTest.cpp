// Quantised weights: places of codes and scales, blocks of GGUF there and back, rounding against numbers worked out by hand,
// selections that move codes, and every form against the witness.
#include "TemporaryFolder.h"
#include "dialect/Rounding.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "reference/Interpreter.h"
#include "weights/Encoding.h"
#include "weights/GgufBlocks.h"
#include "weights/WeightEvaluator.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace xfmr;

namespace {

std::vector<float> normal(int64_t count, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw;
  std::vector<float> values(count);
  for (float &value : values)
    value = draw(generator);
  return values;
}

constexpr uint32_t kBlocks[] = {2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 23, 39};

class Quantised : public testing::Test {
protected:
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    writeTensors(folder.file("w.safetensors"), {{"w", DType::f32, {5, 512}, normal(5 * 512)},
                                                {"odd", DType::f32, {3, 84}, normal(3 * 84, 2)},
                                                {"s", DType::f32, {2, 5, 512}, normal(2 * 5 * 512, 3)}});
    ASSERT_TRUE(sources.add("base", folder.file("w.safetensors")).ok());
  }

  Value parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? module->getBody()->back().getResult(0) : Value();
  }
  std::vector<float> plane(Value value, WeightPlane plane) {
    std::optional<QuantScheme> scheme = quantSchemeOf(value.getType());
    const int64_t rows = weightRows(value.getType()), columns = weightColumns(value.getType());
    const int64_t width = scheme ? scheme->planeColumns(plane, columns) : columns;
    std::vector<float> out(rows * width);
    EXPECT_TRUE(succeeded(WeightEvaluator(sources).evaluate(value, {{0, rows, 0, width}, out.data(), width, plane})));
    return out;
  }
  std::vector<float> values(Value value) { return plane(value, WeightPlane::values); }
  std::vector<double> witness(Value value) {
    reference::Interpreter interpreter(ModelOp(), [&](StringRef source, StringRef name, const TensorView *&out) {
      return sources.find(source.str(), name.str(), out);
    });
    reference::TensorRef tensor;
    Status status = interpreter.weight(value, tensor);
    EXPECT_TRUE(status.ok()) << status.message();
    return status.ok() ? tensor->values : std::vector<double>();
  }
  std::vector<uint8_t> packed(Value value, WeightLayout layout) {
    Encoding encoding = *Encoding::of(value.getType(), layout);
    std::vector<uint8_t> bytes(encoding.bytes());
    EXPECT_TRUE(encoding.packCodes(
        0, encoding.storedRows(),
        [&](WeightPlane which, int64_t first, int64_t count, float *out) {
          const int64_t width = encoding.scheme->planeColumns(which, encoding.columns);
          return succeeded(
              WeightEvaluator(sources).evaluate(value, {{first, first + count, 0, width}, out, width, which}));
        },
        bytes.data()));
    return bytes;
  }

  TemporaryFolder folder;
  MLIRContext context;
  WeightSources sources;
  OwningOpRef<ModuleOp> module;
};

const char *const kTypes[] = {
    "int8, group = 32",
    "int4, group = 32",
    "int4, group = 128, scale = bf16",
    "int3, group = 64, scale = f32",
    "int8, group = row",
    "int4, group = 32, min",
    "int5, group = 32",
    "int5, group = 32, min",
    "int2, group = 16, min, super = 256, sub = u4",
    "int3, group = 16, super = 256, sub = i6",
    "int4, group = 32, min, super = 256, sub = u6",
    "int5, group = 32, min, super = 256, sub = u6",
    "int6, group = 16, super = 256, sub = i8",
    "iq4_nl, group = 32",
    "iq4_nl, group = 32, super = 256, sub = i6",
    "e2m1, group = 32, scale = e8m0",
    "nf4, group = 64, scale = f32",
};

TEST_F(Quantised, FilesAndPanelsHoldTheValuesOfTheWitness) {
  int number = 0;
  for (const char *type : kTypes)
    for (const char *rule : {"absmax", "search"})
      for (const char *tensor : {"\"w\" : tensor<5x512xf32>", "\"odd\" : tensor<3x84xf32>"}) {
        const std::string shape = tensor[1] == 'w' ? "5x512" : "3x84";
        Value value = parse("%w = xfmr.weight " + std::string(tensor) + "\n%q = xfmr.weight_quantize %w by " + rule +
                            " : tensor<" + shape + "xf32> -> tensor<" + shape + "x!xfmr.q<" + type + ">>");
        ASSERT_TRUE(value) << type;
        const std::vector<float> expected = values(value);
        const std::vector<double> exact = witness(value);
        ASSERT_EQ(expected.size(), exact.size());
        for (size_t i = 0; i < exact.size(); ++i)
          ASSERT_EQ(expected[i], exact[i]) << type << " " << rule << " element " << i;
        for (WeightLayout layout : {WeightLayout::rows, WeightLayout::panels})
          EXPECT_EQ(Encoding::of(value.getType(), layout)->unpack(packed(value, layout).data()), expected) << type;

        // The packed rows as a tensor of a file.
        Encoding rows = *Encoding::of(value.getType(), WeightLayout::rows);
        std::vector<uint8_t> bytes = packed(value, WeightLayout::rows);
        const int64_t count = weightRows(value.getType());
        SafetensorsWriter writer;
        ASSERT_TRUE(writer.declare("q", DType::u8, {count, rows.rowBytes()}).ok());
        const std::string path = folder.file("q" + std::to_string(number) + ".safetensors");
        ASSERT_TRUE(writer.begin(path).ok());
        ASSERT_TRUE(writer.append(bytes.data(), count * rows.rowBytes()).ok());
        ASSERT_TRUE(writer.finish().ok());
        const std::string source = "q" + std::to_string(number++);
        ASSERT_TRUE(sources.add(source, path).ok());
        Value stored =
            parse("%q = xfmr.weight \"q\" from \"" + source + "\" : tensor<" + shape + "x!xfmr.q<" + type + ">>");
        EXPECT_EQ(values(stored), expected) << type;
        const std::vector<double> read = witness(stored);
        EXPECT_EQ(std::vector<float>(read.begin(), read.end()), expected) << type;
      }
}

TEST_F(Quantised, SearchIsNoWorseThanAbsmax) {
  const std::vector<float> w = values(parse("%w = xfmr.weight \"w\" : tensor<5x512xf32>"));
  for (const char *type : kTypes) {
    double errors[2];
    for (int search : {0, 1}) {
      const std::vector<float> q = values(parse(
          "%w = xfmr.weight \"w\" : tensor<5x512xf32>\n%q = xfmr.weight_quantize %w by " +
          std::string(search ? "search" : "absmax") + " : tensor<5x512xf32> -> tensor<5x512x!xfmr.q<" + type + ">>"));
      errors[search] = 0;
      for (size_t i = 0; i < w.size(); ++i)
        errors[search] += (w[i] - q[i]) * (w[i] - q[i]);
    }
    EXPECT_LE(errors[1], errors[0]) << type;
    EXPECT_LT(errors[1] / w.size(), std::string(type).substr(0, 4) == "int2" ? 0.12 : 0.05) << type;
  }
}

TEST_F(Quantised, AbsmaxByHand) {
  // The largest magnitude is -4: s = -4 / -8 = 0.5, codes round(w / 0.5), ties to even, at most 7.
  const float w[] = {-4, 3.8f, 0.25f, 0.75f, -0.2f, 1};
  const QuantScheme scheme{QuantCode::int4, 0};
  RunScales scales = chooseScales(scheme, QuantRule::absmax, w, 6, 6);
  EXPECT_EQ(scales.scale, 0.5f);
  std::vector<int> codes;
  for (float value : w)
    codes.push_back(nearestCode(scheme, value, scales.scale, 0) - 8);
  EXPECT_EQ(codes, (std::vector<int>{-8, 7, 0, 2, 0, 2}));
  // MX: exponent of 5 less that of 6 is 0; 5 lies between 4 and 6, the lower code wins.
  const float mx[] = {5, 0.2f, -3.4f};
  const QuantScheme mxfp4 = *QuantScheme::named("mxfp4");
  scales = chooseScales(mxfp4, QuantRule::absmax, mx, 3, 32);
  EXPECT_EQ(scales.scale, 1.0f);
  EXPECT_EQ(nearestCode(mxfp4, 5, 1, 0), 6);
  EXPECT_EQ(nearestCode(mxfp4, -3.4f, 1, 0), 13);
}

TEST_F(Quantised, StoredScalesAreThoseOfTheirTypes) {
  for (float value : {1.0f, -0.1f, 3.14159f, 1e-6f, 5.96e-8f, 2e-8f, 65504.0f, 1e30f, -70000.0f, 6.1e-5f, 6.2e-5f})
    EXPECT_EQ(storedScale(QuantScale::f16, value), f32FromF16(f16FromF32(std::clamp(value, -65504.0f, 65504.0f))))
        << value;
  for (float value : {1.0f, -0.1f, 3.14159f, 1e-6f})
    EXPECT_EQ(storedScale(QuantScale::bf16, value), f32FromBF16(bf16FromF32(value)));
  EXPECT_EQ(storedScale(QuantScale::e8m0, 3.0f), 4.0f);
}

TEST_F(Quantised, BlocksAreTheSameBytesAgain) {
  std::mt19937 generator(7);
  for (uint32_t type : kBlocks) {
    const GgufBlock block = *ggufBlock(type);
    const QuantScheme scheme = *ggufScheme(type);
    EXPECT_EQ(ggufTypeOf(scheme), GgufType(type));
    for (int round = 0; round < 50; ++round) {
      std::vector<uint8_t> bytes(2 * block.bytes), again(bytes.size());
      for (uint8_t &byte : bytes)
        byte = static_cast<uint8_t>(generator());
      auto read = [&](WeightPlane plane, float *out) {
        readBlocks(GgufType(type), bytes.data(), plane, 0, scheme.planeColumns(plane, 2 * block.elements), out);
      };
      std::vector<float> scales(2), mins(2, 0.0f);
      read(WeightPlane::scales, scales.data());
      if (scheme.minimum)
        read(WeightPlane::mins, mins.data());
      if (!std::isfinite(scales[0] + scales[1] + mins[0] + mins[1]))
        continue; // refused where a tensor is read
      writeBlocks(GgufType(type), 2 * block.elements, read, again.data());
      EXPECT_EQ(bytes, again) << ggufTypeName(type);
    }
  }
}

TEST_F(Quantised, SelectionsMoveCodes) {
  const std::string q = "%w = xfmr.weight \"w\" : tensor<5x512xf32>\n%q = xfmr.weight_quantize %w by search : "
                        "tensor<5x512xf32> -> tensor<5x512x!xfmr.q<int4, group = 32>>\n";
  const std::string type = "x!xfmr.q<int4, group = 32>>";
  for (WeightPlane which : {WeightPlane::codes, WeightPlane::scales, WeightPlane::values}) {
    const int64_t unit = which == WeightPlane::scales ? 32 : 1, width = 512 / unit;
    const std::vector<float> all = plane(parse(q), which);
    auto rows = [&](std::vector<int64_t> taken) {
      std::vector<float> expected;
      for (int64_t row : taken)
        expected.insert(expected.end(), all.begin() + row * width, all.begin() + (row + 1) * width);
      return expected;
    };
    EXPECT_EQ(
        plane(parse(q + "%g = xfmr.weight_gather %q axis 0 [4, 1] : tensor<5x512" + type + " -> tensor<2x512" + type),
              which),
        rows({4, 1}));
    EXPECT_EQ(plane(parse(q + "%c = xfmr.weight_concat %q, %q axis 0 : (tensor<5x512" + type + ", tensor<5x512" + type +
                          ") -> tensor<10x512" + type),
                    which),
              rows({0, 1, 2, 3, 4, 0, 1, 2, 3, 4}));
    // Columns: groups 3 and 4, then twice the same groups side by side.
    const std::string cut = q + "%s = xfmr.weight_slice %q axis 1 offset 96 size 64 : tensor<5x512" + type +
                            " -> tensor<5x64" + type + "\n";
    std::vector<float> expected, twice;
    for (int64_t row = 0; row < 5; ++row) {
      auto begin = all.begin() + row * width + 96 / unit;
      expected.insert(expected.end(), begin, begin + 64 / unit);
      for (int copy : {0, 1}) {
        (void)copy;
        twice.insert(twice.end(), begin, begin + 64 / unit);
      }
    }
    EXPECT_EQ(plane(parse(cut), which), expected);
    EXPECT_EQ(plane(parse(cut + "%c = xfmr.weight_concat %s, %s axis 1 : (tensor<5x64" + type + ", tensor<5x64" + type +
                          ") -> tensor<5x128" + type),
                    which),
              twice);
    std::string indices;
    for (int64_t i = 0; i < 64; ++i)
      indices += (i ? ", " : "") + std::to_string(i < 32 ? 128 + i : 64 + i); // groups 4 and 3
    const std::vector<float> swapped = plane(parse(q + "%g = xfmr.weight_gather %q axis 1 [" + indices +
                                                   "] : tensor<5x512" + type + " -> tensor<5x64" + type),
                                             which);
    for (int64_t row = 0; row < 5; ++row)
      for (int64_t c = 0; c < 64 / unit; ++c)
        EXPECT_EQ(swapped[row * 64 / unit + c], expected[row * 64 / unit + (c + 32 / unit) % (64 / unit)]);
  }
  const std::string mask = q + "%m = xfmr.weight_mask %q axis 1 keep [0, 40] : tensor<5x512" + type;
  const std::vector<float> dense = values(parse(q)), masked = values(parse(mask));
  for (size_t i = 0; i < dense.size(); ++i)
    EXPECT_EQ(masked[i], i % 512 == 0 || i % 512 == 40 ? dense[i] : 0.0f);
  const std::vector<double> exact = witness(parse(mask));
  EXPECT_EQ(std::vector<float>(exact.begin(), exact.end()), masked);
}

TEST_F(Quantised, ExpertsAreTakenWithTheirCodes) {
  const std::string type = "x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>";
  const std::string q = "%w = xfmr.weight \"s\" : tensor<2x5x512xf32>\n%q = xfmr.weight_quantize %w by absmax : "
                        "tensor<2x5x512xf32> -> tensor<2x5x512" +
                        type + "\n";
  for (WeightPlane which : {WeightPlane::codes, WeightPlane::scales, WeightPlane::subMins}) {
    const std::vector<float> all = plane(parse(q), which);
    const std::vector<float> one =
        plane(parse(q + "%e = xfmr.weight_select %q[1] : tensor<2x5x512" + type + " -> tensor<5x512" + type), which);
    EXPECT_EQ(one, std::vector<float>(all.begin() + all.size() / 2, all.end()));
  }
}

// Word 0 of four bits: columns 0 … 3 in the low nibbles of its bytes, 4 … 7 in the high ones; of panels words of 16 rows.
TEST_F(Quantised, PlacesByHand) {
  QuantRows int4({QuantCode::int4, 32}, 64);
  EXPECT_EQ(int4.rowBytes(), 48) << "32 bytes of codes, two f16, padded to 16";
  std::vector<float> codes(64);
  for (int i = 0; i < 64; ++i)
    codes[i] = float(i % 16);
  std::vector<uint8_t> row(int4.rowBytes(), 0);
  int4.pack(WeightPlane::codes, codes.data(), row.data());
  EXPECT_EQ(std::vector<uint8_t>(row.begin(), row.begin() + 8),
            (std::vector<uint8_t>{0x40, 0x51, 0x62, 0x73, 0xc8, 0xd9, 0xea, 0xfb}));
  QuantRows int3({QuantCode::int3, 32}, 32);
  EXPECT_EQ(int3.offset(WeightPlane::scales), 12) << "three words";
  std::vector<uint8_t> three(int3.rowBytes(), 0);
  std::vector<float> lone(32, 0.0f);
  lone[17] = 6; // binary 110: low bits 10 in word 1, byte 1, bit 0; high bit in word 2, byte 1, bit 4
  int3.pack(WeightPlane::codes, lone.data(), three.data());
  EXPECT_EQ(three[4 + 1], 2);
  EXPECT_EQ(three[8 + 1], 16);
  const float scales[] = {1, 2};
  int4.pack(WeightPlane::scales, scales, row.data());
  std::vector<uint8_t> rows(16 * int4.rowBytes(), 0), panel(rows.size());
  std::copy(row.begin(), row.end(), rows.begin() + 3 * int4.rowBytes());
  int4.toPanel(rows.data(), panel.data());
  EXPECT_EQ(panel[4 * 3], 0x40) << "word 0 of row 3";
  EXPECT_EQ(panel[64 + 4 * 3], 0xc8) << "word 1 of row 3";
  EXPECT_EQ(panel[4 * 64 + 2 * 3 + 1], 0x3c) << "the scale of row 3, behind the codes of its group: 1 in f16";
  EXPECT_EQ(panel[288 + 4 * 3], 0x40) << "word 0 of the second group";
  EXPECT_EQ(panel[288 + 4 * 64 + 2 * 3 + 1], 0x40) << "its scale, 2";
  EXPECT_EQ(Encoding::of(RankedTensorType::get({2, 17, 64}, QuantType::get(&context, {QuantCode::int4, 32})),
                         WeightLayout::panels)
                ->shape(),
            (std::vector<uint64_t>{4, 16, 48}));
}

TEST_F(Quantised, WrongTensorsAreNamed) {
  Value value = parse("%q = xfmr.weight \"w\" : tensor<5x512x!xfmr.q<int4, group = 32>>");
  std::string message;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  std::vector<float> out(5 * 512);
  EXPECT_TRUE(failed(WeightEvaluator(sources).evaluateRows(value, 0, 5, out.data())));
  EXPECT_EQ(message,
            "tensor \"w\" of source \"base\": found F32 [5, 512], expected 'tensor<5x512x!xfmr.q<int4, group = 32>>'");
}

} // namespace
