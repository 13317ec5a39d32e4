// xfmr.moe through the interpreter: a dense network in every expert, given layers, canonical forms, and the routing
// of whole models.
#include "import/Import.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "test/moe/Vectors.h"
#include "reference/ops/Moe.h"
#include "test/reference/unit/TinyModel.h"
#include "weights/WeightSource.h"
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace xfmr::reference {
namespace {

// embedding of hidden size 4, then y = moe(x) over 4 experts of width 6; `rest` follows.
std::string mixture(const std::string &routing, const std::string &bias = "") {
  return R"(
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %r = xfmr.weight "router" : tensor<4x4xf32>
  %b = xfmr.weight "bias" : tensor<4xf32>
  %up = xfmr.weight "up" : tensor<4x6x4xf32>
  %down = xfmr.weight "down" : tensor<4x4x6xf32>
  %y = xfmr.moe %x router %r )" +
         bias + R"( experts(%up, %down) routing <)" + routing + R"(>
      : (tensor<?x4xf32>, tensor<4x4xf32>)" +
         (bias.empty() ? "" : ", tensor<4xf32>") + R"(, tensor<4x6x4xf32>, tensor<4x4x6xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %d: tensor<4x6xf32>):
    %h = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation silu %h : tensor<?x6xf32>
    %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>)";
}

const char *const kDense = R"(
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %u = xfmr.weight "up0" : tensor<6x4xf32>
  %d = xfmr.weight "down0" : tensor<4x6xf32>
  %h = xfmr.linear %x, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
  %a = xfmr.activation silu %h : tensor<?x6xf32>
  %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
  xfmr.yield %o : tensor<?x4xf32>)";

void storeAll(TinyModel &model, bool equalExperts) {
  model.storeNoise("embed", {8, 4});
  model.storeNoise("router", {4, 4});
  model.storeNoise("bias", {4});
  std::vector<float> up(24), down(24), ups, downs;
  for (int i = 0; i < 24; ++i)
    up[i] = std::sin(1.0f + i), down[i] = std::cos(2.0f * i);
  for (int e = 0; e < 4; ++e)
    for (int i = 0; i < 24; ++i) {
      ups.push_back(up[i] + (equalExperts ? 0 : 0.1f * e));
      downs.push_back(down[i] - (equalExperts ? 0 : 0.2f * e));
    }
  model.store("up0", {6, 4}, up);
  model.store("down0", {4, 6}, down);
  model.store("up", {4, 6, 4}, ups);
  model.store("down", {4, 4, 6}, downs);
}

Tensor run(const std::string &body, bool equalExperts) {
  TinyModel model(body, 4);
  storeAll(model, equalExperts);
  Interpreter interpreter(model.model(), model.find());
  Tensor y;
  Status status = interpreter.run({0, 1, 2, 3, 4, 5, 6, 7}, y);
  EXPECT_TRUE(status.ok()) << status.message();
  return y;
}

TEST(MoeOp, EqualExpertsAreTheDenseNetwork) {
  const Tensor dense = run(kDense, true);
  for (const char *routing :
       {"top_k = 2, score = softmax, norm_topk_prob = true", "top_k = 3, score = softmax, score_at = post_topk",
        "top_k = 4, score = softmax", "top_k = 2, score = sigmoid, norm_topk_prob = true",
        "top_k = 3, score = sqrt_softplus, norm_topk_prob = true",
        "top_k = 1, score = sigmoid, norm_topk_prob = true, n_group = 2, group_score = sum_top2"})
    for (const char *bias : {"", "bias %b", "selection_bias %b"}) {
      const Tensor y = run(mixture(routing, bias), true);
      for (size_t i = 0; i < y.values.size(); ++i)
        EXPECT_NEAR(y.values[i], dense.values[i], 1e-12) << routing << " " << bias;
    }
}

TEST(MoeOp, CanonicalFormsGiveTheSame) {
  for (const char *routing :
       {"top_k = 2, score = softmax, norm_topk_prob = true, scale = 2.0", "top_k = 2, score = sigmoid",
        "top_k = 2, score = sigmoid, n_group = 2, topk_group = 2, group_score = sum_top2",
        "top_k = 2, score = none, score_at = post_topk"}) {
    const Tensor before = run(mixture(routing), false);
    TinyModel model(mixture(routing), 4);
    storeAll(model, false);
    mlir::PassManager passes(model.model()->getContext());
    passes.addPass(mlir::createCanonicalizerPass());
    ASSERT_TRUE(mlir::succeeded(passes.run(model.model()->getParentOp())));
    Interpreter interpreter(model.model(), model.find());
    Tensor after;
    ASSERT_TRUE(interpreter.run({0, 1, 2, 3, 4, 5, 6, 7}, after).ok());
    for (size_t i = 0; i < after.values.size(); ++i)
      EXPECT_NEAR(after.values[i], before.values[i], 1e-12) << routing;
  }
}

TEST(MoeOp, WeightOnInputAndDrop) {
  // One expert a token and the weight before a network without bias is not the weight after it.
  const Tensor after = run(mixture("top_k = 1, score = sigmoid"), false);
  const Tensor before = run(mixture("top_k = 1, score = sigmoid, weight_on_input = true"), false);
  double difference = 0;
  for (size_t i = 0; i < after.values.size(); ++i)
    difference = std::max(difference, std::abs(after.values[i] - before.values[i]));
  EXPECT_GT(difference, 0.01);
  // A capacity of one leaves at most four rows that are not zero.
  const Tensor dropped = run(mixture("top_k = 1, score = softmax, overflow = drop, capacity = 1"), false);
  int alive = 0;
  for (int64_t t = 0; t < dropped.rows(); ++t)
    alive += dropped.row(t)[0] != 0;
  EXPECT_GE(alive, 1);
  EXPECT_LE(alive, 4);
}

// Whole checkpoints: the experts of every prompt position are exactly the expected ones.
class WholeModels : public ::testing::TestWithParam<const char *> {};

TEST_P(WholeModels, RoutingIsExpected) {
  const std::string folder = std::string(XFMR_SHARED_MODELS) + "/" + GetParam();
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << folder << " is not beside the repository";
  mlir::MLIRContext context;
  Status status;
  auto module = importModel(context, folder, {}, status);
  ASSERT_TRUE(module) << status.message();
  ModelOp model = *module->getOps<ModelOp>().begin();
  WeightSource source;
  ASSERT_TRUE(WeightSource::open(folder, source).ok());
  Interpreter interpreter(model, [&](llvm::StringRef, llvm::StringRef name, const TensorView *&out) {
    out = source.find(name.str());
    return out ? Status::success() : Status::error("no tensor " + name.str());
  });
  std::vector<double> ids, weights;
  Observer observer;
  observer.inner = [&](mlir::Operation *, llvm::StringRef name, const Tensor &value) {
    std::vector<double> &to = name == "ids" ? ids : weights;
    to.insert(to.end(), value.values.begin(), value.values.end());
  };
  interpreter.observe(observer);
  SafetensorsFile expected;
  ASSERT_TRUE(SafetensorsFile::open(folder + "/expected/routing.safetensors", expected).ok());
  std::ifstream file(folder + "/expected/prompts.json");
  const nlohmann::json document = nlohmann::json::parse(file);
  for (const auto &prompt : document["prompts"]) {
    const std::string name = prompt["name"];
    Tensor logits;
    ids.clear(), weights.clear();
    status = interpreter.run(prompt["ids"].get<std::vector<int32_t>>(), logits);
    ASSERT_TRUE(status.ok()) << status.message();
    const TensorView *wantedIds = expected.find(name + ".ids"), *wanted = expected.find(name + ".weights");
    ASSERT_TRUE(wantedIds && wanted);
    ASSERT_EQ(ids.size(), wantedIds->byteSize / 4);
    for (size_t i = 0; i < ids.size(); ++i) {
      int32_t id;
      float weight;
      std::memcpy(&id, wantedIds->data + 4 * i, 4);
      std::memcpy(&weight, wanted->data + 4 * i, 4);
      ASSERT_EQ(ids[i], id) << name << " entry " << i;
      ASSERT_NEAR(weights[i], weight, 1e-6) << name << " entry " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, WholeModels,
                         ::testing::Values("tales-moe", "minis/mixtral", "minis/qwen2-moe", "minis/qwen3-moe",
                                           "minis/olmoe", "minis/gpt-oss", "minis/granite-moe", "minis/phimoe"));

} // namespace
} // namespace xfmr::reference
