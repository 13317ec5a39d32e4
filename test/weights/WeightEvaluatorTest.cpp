// Values of every weight expression against numbers worked out by hand, and every rectangle of each
// against the whole.
#include "weights/WeightEvaluator.h"
#include "TemporaryFolder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace xfmr;

namespace {

std::vector<float> iota(int64_t count, float first = 0) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

class WeightEvaluatorTest : public testing::Test {
protected:
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    writeTensors(folder.file("w.safetensors"),
                 {{"w", DType::f32, {4, 3}, iota(12)},       // w[r][c] = 3 r + c
                  {"x", DType::f32, {2, 3}, iota(6, 100)},
                  {"v", DType::f32, {6}, iota(6)},
                  {"s", DType::f32, {2, 4, 3}, iota(24)},    // s[e][r][c] = 12 e + 3 r + c
                  {"m", DType::f32, {2, 4}, iota(8)},
                  {"h", DType::f16, {2, 2}, {1.0f, 2.0f, 3.0f, 4.0f}},
                  {"b", DType::bf16, {2, 2}, {1.0f, 2.0f, 3.0f, 4.0f}},
                  {"B", DType::f32, {4, 2}, {1, 0, 0, 1, 1, 1, 2, 0}},
                  {"A", DType::f32, {2, 3}, {1, 2, 3, 10, 20, 30}},
                  {"A16", DType::f16, {1, 2}, {0.001f, 1.0f}},
                  {"B16", DType::f16, {2, 1}, {1.0f, 1.0f}},
                  {"nan", DType::f32, {1, 2}, {0.0f, std::nanf("")}},
                  {"inf", DType::f16, {1, 1}, {std::numeric_limits<float>::infinity()}}});
    ASSERT_TRUE(sources.add("base", folder.file("w.safetensors")).ok());
  }

  /// The value that the last op of `text` defines.
  Value parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return {};
    return module->getBody()->back().getResult(0);
  }

  std::vector<float> evaluate(const std::string &text, WeightEvaluator::Bindings bindings =
                                                           WeightEvaluator::Bindings()) {
    Value value = parse(text);
    EXPECT_TRUE(value) << text;
    if (!value)
      return {};
    WeightEvaluator evaluator(sources, bindings);
    const int64_t rows = weightRows(value.getType()), columns = weightColumns(value.getType());
    std::vector<float> whole(rows * columns);
    EXPECT_TRUE(succeeded(evaluator.evaluateRows(value, 0, rows, whole.data())));
    // Every rectangle, into a wider row, with a guard around it.
    for (int64_t r0 = 0; r0 < rows; ++r0)
      for (int64_t r1 = r0 + 1; r1 <= rows; ++r1)
        for (int64_t c0 = 0; c0 < columns; ++c0)
          for (int64_t c1 = c0 + 1; c1 <= columns; ++c1) {
            const int64_t stride = c1 - c0 + 2;
            std::vector<float> part((r1 - r0) * stride, -77.0f);
            EXPECT_TRUE(succeeded(evaluator.evaluate(value, {r0, r1, c0, c1}, part.data(), stride)));
            for (int64_t r = r0; r < r1; ++r) {
              for (int64_t c = c0; c < c1; ++c)
                EXPECT_EQ(part[(r - r0) * stride + c - c0], whole[r * columns + c])
                    << text << " rows " << r0 << ".." << r1 << " columns " << c0 << ".." << c1;
              EXPECT_EQ(part[(r - r0) * stride + c1 - c0], -77.0f) << "wrote past the rectangle";
            }
          }
    return whole;
  }

  /// What evaluating the last value says, or the argument of the last op's region.
  std::string error(const std::string &text, bool ofArgument = false) {
    std::string message;
    ScopedDiagnosticHandler collect(&context, [&](Diagnostic &diagnostic) {
      message += diagnostic.str();
      return success();
    });
    Value value = parse(text);
    if (!value)
      return "does not parse: " + message;
    if (ofArgument)
      value = module->getBody()->back().getRegion(0).getArgument(0);
    std::vector<float> out(weightRows(value.getType()) * weightColumns(value.getType()));
    WeightEvaluator evaluator(sources);
    if (succeeded(evaluator.evaluateRows(value, 0, weightRows(value.getType()), out.data())))
      return "no error";
    return message;
  }

  MLIRContext context;
  TemporaryFolder folder;
  WeightSources sources;
  OwningOpRef<ModuleOp> module;
};

using Values = std::vector<float>;
const std::string W = "%w = xfmr.weight \"w\" : tensor<4x3xf32>\n";
const std::string X = "%x = xfmr.weight \"x\" : tensor<2x3xf32>\n";
const std::string V = "%v = xfmr.weight \"v\" : tensor<6xf32>\n";
const std::string S = "%s = xfmr.weight \"s\" : tensor<2x4x3xf32>\n";
const std::string M = "%m = xfmr.weight \"m\" : tensor<2x4xf32>\n";

TEST_F(WeightEvaluatorTest, Names) {
  EXPECT_EQ(evaluate(W), iota(12));
  EXPECT_EQ(evaluate(V), iota(6));
  EXPECT_EQ(evaluate("%h = xfmr.weight \"h\" : tensor<2x2xf16>"), (Values{1, 2, 3, 4}));
  EXPECT_EQ(evaluate("%b = xfmr.weight \"b\" : tensor<2x2xbf16>"), (Values{1, 2, 3, 4}));
}

TEST_F(WeightEvaluatorTest, Concat) {
  EXPECT_EQ(evaluate(W + X + "%c = xfmr.weight_concat %x, %w axis 0 : "
                             "(tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<6x3xf32>"),
            (Values{100, 101, 102, 103, 104, 105, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(evaluate(X + M + "%c = xfmr.weight_concat %x, %m axis 1 : "
                             "(tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>"),
            (Values{100, 101, 102, 0, 1, 2, 3, 103, 104, 105, 4, 5, 6, 7}));
  EXPECT_EQ(evaluate(V + "%c = xfmr.weight_concat %v, %v axis 0 : "
                         "(tensor<6xf32>, tensor<6xf32>) -> tensor<12xf32>"),
            (Values{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
  // The middle axis of a stack: expert by expert.
  Values both = evaluate(S + "%t = xfmr.weight_slice %s axis 1 offset 1 size 2 : "
                             "tensor<2x4x3xf32> -> tensor<2x2x3xf32>\n"
                             "%c = xfmr.weight_concat %t, %s axis 1 : "
                             "(tensor<2x2x3xf32>, tensor<2x4x3xf32>) -> tensor<2x6x3xf32>");
  EXPECT_EQ(both, (Values{3,  4,  5,  6,  7,  8,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                          15, 16, 17, 18, 19, 20, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}));
}

TEST_F(WeightEvaluatorTest, SliceGatherMask) {
  EXPECT_EQ(evaluate(W + "%s = xfmr.weight_slice %w axis 0 offset 1 size 2 : "
                         "tensor<4x3xf32> -> tensor<2x3xf32>"),
            iota(6, 3));
  EXPECT_EQ(evaluate(W + "%s = xfmr.weight_slice %w axis 1 offset 1 size 2 : "
                         "tensor<4x3xf32> -> tensor<4x2xf32>"),
            (Values{1, 2, 4, 5, 7, 8, 10, 11}));
  EXPECT_EQ(evaluate(W + "%g = xfmr.weight_gather %w axis 0 [3, 0, 1] : "
                         "tensor<4x3xf32> -> tensor<3x3xf32>"),
            (Values{9, 10, 11, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(evaluate(W + "%g = xfmr.weight_gather %w axis 1 [2, 0, 2, 1] : "
                         "tensor<4x3xf32> -> tensor<4x4xf32>"),
            (Values{2, 0, 2, 1, 5, 3, 5, 4, 8, 6, 8, 7, 11, 9, 11, 10}));
  EXPECT_EQ(evaluate(V + "%g = xfmr.weight_gather %v axis 0 [5, 4, 0] : "
                         "tensor<6xf32> -> tensor<3xf32>"),
            (Values{5, 4, 0}));
  EXPECT_EQ(evaluate(S + "%g = xfmr.weight_gather %s axis 0 [1] : "
                         "tensor<2x4x3xf32> -> tensor<1x4x3xf32>"),
            iota(12, 12));
  EXPECT_EQ(evaluate(S + "%g = xfmr.weight_gather %s axis 1 [3, 1] : "
                         "tensor<2x4x3xf32> -> tensor<2x2x3xf32>"),
            (Values{9, 10, 11, 3, 4, 5, 21, 22, 23, 15, 16, 17}));
  EXPECT_EQ(evaluate(W + "%m = xfmr.weight_mask %w axis 0 keep [1, 3] : tensor<4x3xf32>"),
            (Values{0, 0, 0, 3, 4, 5, 0, 0, 0, 9, 10, 11}));
  EXPECT_EQ(evaluate(W + "%m = xfmr.weight_mask %w axis 1 keep [1] : tensor<4x3xf32>"),
            (Values{0, 1, 0, 0, 4, 0, 0, 7, 0, 0, 10, 0}));
  EXPECT_EQ(evaluate(S + "%m = xfmr.weight_mask %s axis 1 keep [0] : tensor<2x4x3xf32>"),
            (Values{0,  1,  2,  0, 0, 0, 0, 0, 0, 0, 0, 0,
                    12, 13, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_F(WeightEvaluatorTest, Layouts) {
  EXPECT_EQ(evaluate(W + "%t = xfmr.weight_transpose %w : tensor<4x3xf32> -> tensor<3x4xf32>"),
            (Values{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  EXPECT_EQ(evaluate(S + "%t = xfmr.weight_transpose %s : tensor<2x4x3xf32> -> tensor<2x3x4xf32>"),
            (Values{0,  3,  6,  9,  1,  4,  7,  10, 2,  5,  8,  11,
                    12, 15, 18, 21, 13, 16, 19, 22, 14, 17, 20, 23}));
  EXPECT_EQ(evaluate(X + "%t = xfmr.weight_stack %x, %x : "
                         "(tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2x3xf32>"),
            (Values{100, 101, 102, 103, 104, 105, 100, 101, 102, 103, 104, 105}));
  EXPECT_EQ(evaluate(V + "%t = xfmr.weight_stack %v, %v : "
                         "(tensor<6xf32>, tensor<6xf32>) -> tensor<2x6xf32>"),
            (Values{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(evaluate(S + "%t = xfmr.weight_select %s [1] : tensor<2x4x3xf32> -> tensor<4x3xf32>"),
            iota(12, 12));
  EXPECT_EQ(evaluate(M + "%t = xfmr.weight_select %m [1] : tensor<2x4xf32> -> tensor<4xf32>"),
            iota(4, 4));
  EXPECT_EQ(evaluate(W + "%i = xfmr.weight_interleave %w axis 0 : tensor<4x3xf32>"),
            (Values{0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11}));
  EXPECT_EQ(evaluate(M + "%i = xfmr.weight_interleave %m axis 1 : tensor<2x4xf32>"),
            (Values{0, 2, 1, 3, 4, 6, 5, 7}));
  EXPECT_EQ(evaluate(V + "%i = xfmr.weight_interleave %v axis 0 : tensor<6xf32>"),
            (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(evaluate(S + "%i = xfmr.weight_interleave %s axis 1 : tensor<2x4x3xf32>"),
            (Values{0,  1,  2,  6,  7,  8,  3,  4,  5,  9,  10, 11,
                    12, 13, 14, 18, 19, 20, 15, 16, 17, 21, 22, 23}));
}

TEST_F(WeightEvaluatorTest, Arithmetic) {
  const std::string lowrank = "%B = xfmr.weight \"B\" : tensor<4x2xf32>\n"
                              "%A = xfmr.weight \"A\" : tensor<2x3xf32>\n";
  EXPECT_EQ(evaluate(lowrank + "%p = xfmr.weight_product %B, %A : "
                               "(tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>"),
            (Values{1, 2, 3, 10, 20, 30, 11, 22, 33, 2, 4, 6}));
  EXPECT_EQ(evaluate(W + lowrank +
                     "%f = xfmr.weight_add_lowrank %w, %B, %A scale 0.5 : "
                     "(tensor<4x3xf32>, tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>"),
            (Values{0.5f, 2, 3.5f, 8, 14, 20, 11.5f, 18, 24.5f, 10, 12, 14}));
  EXPECT_EQ(evaluate(W + "%a = xfmr.weight_add %w, %w : tensor<4x3xf32>")[5], 10.0f);
  EXPECT_EQ(evaluate(W + "%a = xfmr.weight_scale %w by -0.5 : tensor<4x3xf32>")[5], -2.5f);
}

TEST_F(WeightEvaluatorTest, RoundsOnceToTheElementType) {
  // 1 + 0.001 in f16 is 1.0009765625, one rounding of the exact sum.
  Values sum = evaluate("%h = xfmr.weight \"h\" : tensor<2x2xf16>\n"
                        "%B = xfmr.weight \"B16\" : tensor<2x1xf16>\n"
                        "%A = xfmr.weight \"A16\" : tensor<1x2xf16>\n"
                        "%f = xfmr.weight_add_lowrank %h, %B, %A scale 1.0 : "
                        "(tensor<2x2xf16>, tensor<2x1xf16>, tensor<1x2xf16>) -> tensor<2x2xf16>");
  EXPECT_EQ(sum, (Values{1.0009765625f, 3, 3.001953125f, 5}));
  EXPECT_EQ(evaluate(W + "%s = xfmr.weight_scale %w by 0.1 : tensor<4x3xf32>\n"
                         "%c = xfmr.weight_cast %s : tensor<4x3xf32> -> tensor<4x3xbf16>")[1],
            0.10009765625f);
}

TEST_F(WeightEvaluatorTest, Composes) {
  // Prune columns of a folded, stacked weight, then pack: gather(interleave(concat(...))).
  EXPECT_EQ(evaluate(X + W + "%g = xfmr.weight_gather %w axis 0 [0, 2] : "
                             "tensor<4x3xf32> -> tensor<2x3xf32>\n"
                             "%c = xfmr.weight_concat %x, %g axis 0 : "
                             "(tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>\n"
                             "%i = xfmr.weight_interleave %c axis 0 : tensor<4x3xf32>\n"
                             "%p = xfmr.weight_gather %i axis 1 [0, 2] : "
                             "tensor<4x3xf32> -> tensor<4x2xf32>"),
            (Values{100, 102, 0, 2, 103, 105, 6, 8}));
}

TEST_F(WeightEvaluatorTest, BindsBlockArguments) {
  Value stacked = parse(S + "%e = xfmr.weight_select %s [0] : tensor<2x4x3xf32> -> tensor<4x3xf32>\n");
  ASSERT_TRUE(stacked);
  // Any value can be bound; here the select stands for an expert region's argument.
  WeightEvaluator::Bindings bindings;
  Value s = module->getBody()->front().getResult(0);
  bindings[stacked] = {s, 1};
  WeightEvaluator evaluator(sources, bindings);
  Values out(12);
  ASSERT_TRUE(succeeded(evaluator.evaluateRows(stacked, 0, 4, out.data())));
  EXPECT_EQ(out, iota(12, 12));
}

TEST_F(WeightEvaluatorTest, VisitsChunks) {
  Value value = parse(W);
  Values all;
  int64_t next = 0;
  WeightEvaluator evaluator(sources);
  ASSERT_TRUE(succeeded(evaluator.forEachChunk(value, [&](int64_t begin, int64_t end, const float *p) {
    EXPECT_EQ(begin, next);
    next = end;
    all.insert(all.end(), p, p + (end - begin) * 3);
    return success();
  })));
  EXPECT_EQ(all, iota(12));
}

/// Memory of this process that is no mapped file, in bytes.
int64_t anonymousMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;)
    if (key == "RssAnon:") {
      int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

TEST_F(WeightEvaluatorTest, WorkingSetIsBounded) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "AddressSanitizer keeps what was freed and has memory of its own";
#endif
  // 256 MiB of f16 in a sparse file, folded, pruned and interleaved in one expression.
  const int64_t rows = 16384, columns = 8192;
  SafetensorsWriter writer;
  ASSERT_TRUE(writer.declare("A", DType::f16, {16, columns}).ok());
  ASSERT_TRUE(writer.declare("B", DType::f16, {rows, 16}).ok());
  ASSERT_TRUE(writer.declare("W", DType::f16, {rows, columns}).ok());
  const std::string path = folder.file("large.safetensors");
  std::vector<char> zeros(1 << 20);
  ASSERT_TRUE(writer.begin(path).ok());
  for (int64_t left = 2 * (16 * columns + rows * 16 + rows * columns); left > 0;) {
    const int64_t size = std::min<int64_t>(left, static_cast<int64_t>(zeros.size()));
    ASSERT_TRUE(writer.append(zeros.data(), size).ok());
    left -= size;
  }
  ASSERT_TRUE(writer.finish().ok());
  WeightSources large;
  ASSERT_TRUE(large.add("base", path).ok());
  Value value = parse("%w = xfmr.weight \"W\" : tensor<16384x8192xf16>\n"
                      "%s = xfmr.weight_slice %w axis 0 offset 4 size 256 : "
                      "tensor<16384x8192xf16> -> tensor<256x8192xf16>\n"
                      "%c = xfmr.weight_concat %w, %s axis 0 : "
                      "(tensor<16384x8192xf16>, tensor<256x8192xf16>) -> tensor<16640x8192xf16>\n"
                      "%i = xfmr.weight_interleave %c axis 0 : tensor<16640x8192xf16>\n"
                      "%g = xfmr.weight_gather %i axis 1 [8191, 0, 17] : "
                      "tensor<16640x8192xf16> -> tensor<16640x3xf16>\n"
                      "%f = xfmr.weight_concat %i, %g axis 1 : "
                      "(tensor<16640x8192xf16>, tensor<16640x3xf16>) -> tensor<16640x8195xf16>");
  ASSERT_TRUE(value);
  WeightEvaluator evaluator(large);
  const int64_t before = anonymousMemory();
  int64_t peak = 0;
  ASSERT_TRUE(succeeded(evaluator.forEachChunk(value, [&](int64_t, int64_t, const float *) {
    peak = std::max(peak, anonymousMemory() - before);
    return success();
  })));
  EXPECT_LT(peak, 32 << 20);
  RecordProperty("peak_bytes", std::to_string(peak));
}

TEST_F(WeightEvaluatorTest, Errors) {
  EXPECT_NE(error("%a = xfmr.weight \"none\" : tensor<1x1xf32>").find("no tensor \"none\""),
            std::string::npos);
  EXPECT_NE(error("%a = xfmr.weight \"w\" from \"other\" : tensor<4x3xf32>").find("\"other\" is not open"),
            std::string::npos);
  EXPECT_EQ(error("%a = xfmr.weight \"w\" : tensor<3x4xf32>"),
            "tensor \"w\" of source \"base\": found F32 [4, 3], expected 'tensor<3x4xf32>'");
  EXPECT_EQ(error("%a = xfmr.weight \"w\" : tensor<4x3xf16>"),
            "tensor \"w\" of source \"base\": found F32 [4, 3], expected 'tensor<4x3xf16>'");
  EXPECT_NE(error("%a = xfmr.weight \"nan\" : tensor<1x2xf32>").find("holds NaN at element 1"),
            std::string::npos);
  EXPECT_NE(error("%a = xfmr.weight \"inf\" : tensor<1x1xf16>").find("holds infinity at element 0"),
            std::string::npos);
  context.allowUnregisteredDialects();
  EXPECT_EQ(error("%a = \"other.made\"() : () -> tensor<1x1xf32>"), "is not a weight expression that can be evaluated");
  EXPECT_EQ(error("%a = \"other.region\"() ({\n^bb0(%x: tensor<1x1xf32>):\n  \"other.end\"() : () -> ()\n}) : () -> tensor<1x1xf32>",
                  /*ofArgument=*/true),
            "block argument is not bound to a weight expression");
}

} // namespace
