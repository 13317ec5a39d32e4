// Stored tensors told from the weights that an importer makes of them: values, and every answer that is refused. Importers of
// families reach few of these; they are the promise to the next one.
#include "export/Origins.h"
#include "export/SameForm.h"
#include "test/weights/TemporaryFolder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace mlir;
using namespace xfmr;
using namespace xfmr::exports;

namespace {

/// A model with weight expressions that nothing uses, and a table that an embedding does.
std::string model(const std::string &expressions) {
  return "xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x2xf32>"
         " config <architecture = \"none\", hidden_size = 2, vocab_size = 2, max_position = 8> sources {base = \"w\"} {\n" +
         expressions +
         "\n %table = xfmr.weight \"table\" : tensor<3x2xf32>"
         "\n %embedded = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<3x2xf32>) -> tensor<?x2xf32>"
         "\n xfmr.yield %embedded : tensor<?x2xf32>\n}";
}

class OriginsTest : public testing::Test {
protected:
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    context.printOpOnDiagnostic(false);
    writeTensors(folder.file("w.safetensors"), {{"a", DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6}},
                                                {"b", DType::f32, {3, 2}, {1, 2, 3, 4, 5, 7}},
                                                {"nan", DType::f32, {3, 2}, {1, 2, 3, 4, 5, std::nanf("")}}});
    ASSERT_TRUE(sources.add("base", folder.file("w.safetensors")).ok());
  }

  ModelOp parse(const std::string &expressions) {
    modules.push_back(parseSourceString<ModuleOp>(model(expressions), &context));
    return *modules.back()->getOps<ModelOp>().begin();
  }

  /// The weights that nothing uses, and the table.
  static std::vector<Value> ends(ModelOp op) {
    std::vector<Value> values;
    for (Operation &entry : op.getBody().front())
      if (entry.getNumResults() && entry.getResult(0).use_empty())
        values.push_back(entry.getResult(0));
    for (auto embedding : op.getBody().getOps<EmbeddingOp>())
      values.push_back(embedding.getTable());
    return values;
  }

  /// Where the importer has `wanted`, the model at hand has `found`: as many expressions, in the same order.
  std::string solve(const std::string &wanted, const std::string &found) {
    ModelOp importer = parse(wanted);
    Origins origins(sources);
    for (auto [w, f] : llvm::zip_equal(ends(importer), ends(parse(found))))
      if (Status status = origins.assign(w, f); status.failed())
        return status.message();
    return origins.finish(importer, tensors).message();
  }

  /// What tensor `index` of the importer's model is.
  std::vector<float> values(size_t index) {
    const Value value = tensors.at(index).piece.value;
    std::vector<float> out(weightRows(value.getType()) * weightColumns(value.getType()));
    EXPECT_TRUE(succeeded(WeightEvaluator(sources).evaluateRows(value, 0, weightRows(value.getType()), out.data())));
    return out;
  }

  TemporaryFolder folder;
  MLIRContext context;
  WeightSources sources;
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::vector<NamedPiece> tensors;
};

const std::string kStored = "%s = xfmr.weight \"stored\" : tensor<3x2xf32>\n";
const std::string kA = "%a = xfmr.weight \"a\" : tensor<3x2xf32>\n";
const std::string kB = "%b = xfmr.weight \"b\" : tensor<3x2xf32>\n";
const std::string kNan = "%n = xfmr.weight \"nan\" : tensor<3x2xf32>\n";

/// Rows of a value as an expression of their own.
std::string rows(const std::string &name, const std::string &of, const std::string &list, int count) {
  return "%" + name + " = xfmr.weight_gather %" + of + " axis 0 [" + list + "] : tensor<3x2xf32> -> tensor<" +
         std::to_string(count) + "x2xf32>\n";
}

TEST_F(OriginsTest, putsPartsTogether) {
  EXPECT_EQ(solve(kStored + rows("p", "s", "2, 0", 2) + rows("q", "s", "1", 1), kA + rows("x", "a", "0, 1", 2) + rows("y", "a", "2", 1)), "");
  EXPECT_EQ(values(0), (std::vector<float>{3, 4, 5, 6, 1, 2}));
}

TEST_F(OriginsTest, solvesTransposes) {
  const std::string transposed = " : tensor<3x2xf32> -> tensor<2x3xf32>\n";
  EXPECT_EQ(solve(kStored + "%t = xfmr.weight_transpose %s" + transposed, kA + "%t = xfmr.weight_transpose %a" + transposed), "");
  EXPECT_EQ(values(0), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(OriginsTest, refusesWhatIsNoSelection) {
  EXPECT_EQ(solve(kStored + "%h = xfmr.weight_scale %s by 0.5 : tensor<3x2xf32>", kA),
            "the importer makes a weight by xfmr.weight_scale, for which the stored tensor cannot be told");
  EXPECT_EQ(solve(kStored + "%h = xfmr.weight_add %s, %s : tensor<3x2xf32>", kA),
            "the importer makes a weight by xfmr.weight_add, for which the stored tensor cannot be told");
}

TEST_F(OriginsTest, refusesCutsAlongTwoAxes) {
  EXPECT_EQ(solve(kStored + "%c = xfmr.weight_gather %s axis 1 [0] : tensor<3x2xf32> -> tensor<3x1xf32>\n"
                            "%r = xfmr.weight_gather %c axis 0 [1] : tensor<3x1xf32> -> tensor<1x1xf32>",
                  "%a = xfmr.weight \"a\" : tensor<1x1xf32>"),
            "the importer cuts a weight along two axes, for which the stored tensor cannot be told");
  EXPECT_EQ(solve(kStored + "%c = xfmr.weight_gather %s axis 1 [0] : tensor<3x2xf32> -> tensor<3x1xf32>\n" + rows("r", "s", "1", 1),
                  "%a = xfmr.weight \"a\" : tensor<3x1xf32>\n %b = xfmr.weight \"b\" : tensor<1x2xf32>"),
            "parts of tensor \"stored\" go along different axes");
}

TEST_F(OriginsTest, refusesWhatIsOnlyPartlyKnown) {
  EXPECT_EQ(solve(kStored + rows("p", "s", "2, 0", 2), kA + rows("x", "a", "0, 1", 2)),
            "nothing in the model gives entry 1 of axis 0 of tensor \"stored\"");
  // Zeros, whatever the tensor is.
  EXPECT_EQ(solve(kStored + "%d = xfmr.weight_scale %s by 0.0 : tensor<3x2xf32>", kA + "%d = xfmr.weight_scale %a by 0.0 : tensor<3x2xf32>"),
            "nothing in the model gives tensor \"stored\"");
}

TEST_F(OriginsTest, comparesWhatIsGivenTwice) {
  const std::string twice = "%t = xfmr.weight \"stored\" : tensor<3x2xf32>\n";
  EXPECT_EQ(solve(kStored + twice, kA + "%again = xfmr.weight \"a\" : tensor<3x2xf32>\n"), "");
  EXPECT_EQ(solve(kStored + twice, kA + kB), "tensor \"stored\" serves two places of the model, which have different values now");
  EXPECT_EQ(solve(kStored + rows("p", "s", "0, 1, 2", 3) + rows("q", "s", "2", 1), kA + rows("x", "a", "0, 1, 2", 3) + kB + rows("y", "b", "2", 1)),
            "tensor \"stored\" serves two places of the model, which have different values now");
  EXPECT_EQ(solve(kStored + twice, kA + kNan), "-:3:6: tensor \"nan\" holds NaN at element 5");
}

TEST_F(OriginsTest, expectsPaddingToBeZero) {
  const std::string padding = "%z = xfmr.weight_scale %s by 0.0 : tensor<3x2xf32>\n"
                              "%c = xfmr.weight_concat %s, %z axis 0 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>";
  const auto padded = [](const std::string &with) {
    return kA + with + "%c = xfmr.weight_concat %a, %p axis 0 : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<6x2xf32>";
  };
  EXPECT_EQ(solve(kStored + padding, padded("%p = xfmr.weight_scale %a by 0.0 : tensor<3x2xf32>\n")), "");
  EXPECT_EQ(values(0), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(solve(kStored + padding, padded("%p = xfmr.weight_scale %a by 2.0 : tensor<3x2xf32>\n")),
            "padding of a weight is not zero, for which the checkpoint has no place");
  EXPECT_EQ(solve(kStored + padding, padded("%p = xfmr.weight \"nan\" : tensor<3x2xf32>\n")), "-:3:6: tensor \"nan\" holds NaN at element 5");
}

TEST(SameForm, refusesAMissingBiasWithoutZerosToTakeItFrom) {
  MLIRContext context;
  context.loadDialect<XfmrDialect>();
  const auto network = [&](const std::string &bias, const std::string &type) {
    return parseSourceString<ModuleOp>(
        std::string("xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x2xf32> config <architecture = \"none\", hidden_size = 2,"
        " vocab_size = 2, max_position = 8> sources {base = \"w\"} {\n %t = xfmr.weight \"t\" : tensor<2x2xf32>\n"
        " %x = xfmr.embedding %tokens, %t : (tensor<?xi32>, tensor<2x2xf32>) -> tensor<?x2xf32>\n") +
            (bias.empty() ? "" : " %b = xfmr.weight \"b\" : tensor<2xf32>\n") +
            " %y = xfmr.linear %x, %t " + bias + ": (tensor<?x2xf32>, tensor<2x2xf32>" + type +
            ") -> tensor<?x2xf32>\n xfmr.yield %y : tensor<?x2xf32>\n}",
        &context);
  };
  auto family = network("bias %b ", ", tensor<2xf32>"), here = network("", "");
  std::vector<std::string> notes;
  Status status = walkSameForm(*family->getOps<ModelOp>().begin(), *here->getOps<ModelOp>().begin(), notes,
                               [](Value, Value) { return Status::success(); });
  EXPECT_EQ(status.message(), "xfmr.linear: has no bias, which the family's checkpoints cannot lack");
}

} // namespace
