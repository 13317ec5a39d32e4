// xfmr-quantize on the bundled models: the witness agrees with what is measured, methods keep their order, experts keep their
// codes when others are pruned, a second rounding to the same type does nothing.
#include "reference/Interpreter.h"
#include "test/prune/OpenProtocol.h"
#include "weights/ModelSources.h"
#include "weights/WeightEvaluator.h"

using namespace mlir;
using namespace xfmr;
using namespace xfmr::prune;

namespace {

std::unique_ptr<Protocol> open(const char *model) {
  return openProtocol(kModels + "/" + model, {kModels + "/stories.txt"});
}

TEST(Quantize, MethodsKeepTheirOrder) {
  auto protocol = open("tales-dense");
  ASSERT_TRUE(protocol);
  auto kl = [&](const std::string &options) {
    return protocol->measure("xfmr-quantize{" + options + "}").value_or(1e300);
  };
  const double absmax = kl("scheme=int3 method=absmax"), search = kl("scheme=int3"),
               gptq = kl("scheme=int3 method=gptq TEXT out=FOLDER/g.safetensors"),
               target = kl("scheme=int3 TEXT out=FOLDER/t.safetensors");
  EXPECT_LT(search, absmax);
  EXPECT_LT(gptq, search);
  EXPECT_LT(target, gptq);
  EXPECT_GT(target, 1e-4) << "three bits are not free";
}

// Logits of the rounded model by the interpreter, which decodes files by itself.
TEST(Quantize, TheWitnessReadsWhatIsWritten) {
  for (const char *model : {"tales-dense", "tales-moe"}) {
    auto protocol = open(model);
    ASSERT_TRUE(protocol);
    std::string errors;
    OwningOpRef<ModuleOp> module = protocol->run("xfmr-quantize{scheme=q4_0 TEXT out=FOLDER/w.safetensors}", errors);
    ASSERT_TRUE(module) << errors;
    ModelOp rounded = *module->getOps<ModelOp>().begin();
    WeightSources sources;
    ASSERT_TRUE(openSources(rounded, sources).ok());
    reference::Interpreter interpreter(rounded, [&](StringRef source, StringRef name, const TensorView *&out) {
      return sources.find(source.str(), name.str(), out);
    });
    const std::vector<int32_t> ids = {1, 5, 9, 33, 70, 71, 72, 73};
    reference::Tensor logits;
    Status status = interpreter.run(ids, logits);
    ASSERT_TRUE(status.ok()) << status.message();
    Forward forward(sources);
    Activations known;
    MatrixF column(ids.size(), 1);
    for (size_t i = 0; i < ids.size(); ++i)
      column(i, 0) = static_cast<float>(ids[i]);
    known[rounded.getTokens()] = column;
    Value output = rounded.getBody().front().getTerminator()->getOperand(0);
    ASSERT_TRUE(succeeded(forward.evaluate(output, ids.size(), known)));
    const MatrixF &found = known.find(output)->second;
    for (Eigen::Index r = 0; r < found.rows(); ++r)
      for (Eigen::Index c = 0; c < found.cols(); ++c)
        ASSERT_NEAR(found(r, c), logits.row(r)[c], 2e-3) << model; // f32 sums over 352 products of numbers up to 30
  }
}

TEST(Quantize, PruningMovesCodes) {
  auto protocol = open("tales-moe");
  ASSERT_TRUE(protocol);
  std::string errors;
  const std::string rounding = "xfmr-quantize{scheme=int4 method=absmax},";
  OwningOpRef<ModuleOp> whole = protocol->run("xfmr-quantize{scheme=int4 method=absmax}", errors);
  OwningOpRef<ModuleOp> pruned = protocol->run(rounding + "xfmr-prune-experts{experts=4}", errors);
  ASSERT_TRUE(whole && pruned) << errors;
  auto firstStacked = [](ModuleOp module) {
    MoeOp found;
    module.walk([&](MoeOp moe) {
      if (!found)
        found = moe;
    });
    return found.getExperts()[0];
  };
  Value all = firstStacked(*whole), some = firstStacked(*pruned);
  ASSERT_TRUE(quantSchemeOf(some.getType()));
  WeightSources sources;
  ASSERT_TRUE(openSources(*whole->getOps<ModelOp>().begin(), sources).ok());
  auto codes = [&](Value value, int64_t rows) {
    const int64_t columns = weightColumns(value.getType());
    std::vector<float> out(rows * columns);
    EXPECT_TRUE(succeeded(
        WeightEvaluator(sources).evaluate(value, {{0, rows, 0, columns}, out.data(), columns, WeightPlane::codes})));
    return out;
  };
  const int64_t rows = weightRows(some.getType());
  EXPECT_EQ(rows * 2, weightRows(all.getType()));
  EXPECT_EQ(codes(some, rows), codes(all, rows)) << "the first four of eight experts";
}

} // namespace
