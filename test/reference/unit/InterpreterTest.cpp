// The interpreter itself: whole and incremental runs, parts of a model, observers, errors.
#include "reference/Greedy.h"
#include "test/reference/unit/TinyModel.h"
#include <limits>

using namespace xfmr;
using namespace xfmr::reference;

// Two blocks with rope and attention, so that positions matter.
static std::string twoBlocks() {
  std::string body = R"(
    %table = xfmr.weight "table" : tensor<8x4xf32>
    %x0 = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  )";
  for (std::string layer : {"0", "1"})
    body += "%x" + std::to_string(std::stoi(layer) + 1) + " = xfmr.block " + layer + " (%x" + layer +
            R"() : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %w = xfmr.weight "qkv)" + layer + R"(" : tensor<12x4xf32>
      %p = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x12xf32>
      %q, %k, %v = xfmr.split %p : tensor<?x12xf32> -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
      %qr = xfmr.rope half %q head_dim 2 theta 1.0e2 : tensor<?x4xf32>
      %kr = xfmr.rope half %k head_dim 2 theta 1.0e2 : tensor<?x4xf32>
      %a = xfmr.attention %qr, %kr, %v heads 2 kv_heads 2 head_dim 2 causal scale 2.0
          : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
      %y = xfmr.add %h, %a : tensor<?x4xf32>
      xfmr.yield %y : tensor<?x4xf32>
    })";
  return body + R"(
    %logits = xfmr.linear %x2, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    xfmr.yield %logits : tensor<?x8xf32>)";
}

class InterpreterTest : public testing::Test {
protected:
  InterpreterTest() : tiny(twoBlocks()), interpreter(tiny.model(), tiny.find()) {
    tiny.storeNoise("table", {8, 4});
    tiny.storeNoise("qkv0", {12, 4});
    tiny.storeNoise("qkv1", {12, 4});
  }
  Tensor run(llvm::ArrayRef<int32_t> ids) {
    Tensor logits;
    const Status status = interpreter.run(ids, logits);
    EXPECT_TRUE(status.ok()) << status.message();
    return logits;
  }
  std::string errorOf(llvm::ArrayRef<int32_t> ids) {
    Tensor logits;
    return interpreter.run(ids, logits).message();
  }
  TinyModel tiny;
  Interpreter interpreter;
};

TEST_F(InterpreterTest, OneTokenAtATimeEqualsTheWhole) {
  const std::vector<int32_t> ids = {1, 5, 5, 2, 7, 0, 3};
  const Tensor whole = run(ids);
  ASSERT_EQ(whole.shape, (std::vector<int64_t>{7, 8}));
  for (size_t chunk : {1, 2, 3}) {
    Context context;
    for (size_t first = 0; first < ids.size(); first += chunk) {
      Tensor logits;
      ASSERT_TRUE(
          interpreter.extend(context, llvm::ArrayRef(ids).slice(first).take_front(chunk), logits).ok());
      for (size_t i = 0; i < logits.values.size(); ++i)
        EXPECT_EQ(logits.values[i], whole.row(first)[i]) << "chunk " << chunk << " at " << first;
    }
    EXPECT_EQ(context.position, 7);
  }
}

TEST_F(InterpreterTest, ObserverSeesEveryActivationInOrder) {
  std::vector<std::string> seen;
  Observer observer;
  observer.result = [&](mlir::OpResult result, const Tensor &value) {
    EXPECT_EQ(value.rows(), 3);
    seen.push_back(result.getOwner()->getName().stripDialect().str());
  };
  interpreter.observe(observer);
  run({1, 2, 3});
  const std::vector<std::string> block = {"linear", "split", "split", "split", "rope",
                                          "rope",   "attention", "add", "block"};
  std::vector<std::string> expected = {"embedding"};
  expected.insert(expected.end(), block.begin(), block.end());
  expected.insert(expected.end(), block.begin(), block.end());
  expected.push_back("linear");
  EXPECT_EQ(seen, expected);
}

TEST_F(InterpreterTest, BlocksAloneGiveWhatTheyGiveInside) {
  std::vector<TensorRef> states;
  Observer observer;
  observer.result = [&](mlir::OpResult result, const Tensor &value) {
    if (llvm::isa<EmbeddingOp, BlockOp>(result.getOwner()))
      states.push_back(share(value));
  };
  interpreter.observe(observer);
  run({4, 6, 1});
  interpreter.observe({});
  ASSERT_EQ(states.size(), 3u);
  size_t layer = 0;
  for (BlockOp block : tiny.model().getBody().getOps<BlockOp>()) {
    std::vector<TensorRef> results;
    const Status status = interpreter.runBlock(block, states[layer], results);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0]->values, states[++layer]->values);
  }
}

TEST_F(InterpreterTest, RangeOfOps) {
  BlockOp block = *tiny.model().getBody().getOps<BlockOp>().begin();
  LinearOp linear = *block.getBody().getOps<LinearOp>().begin();
  SplitOp split = *block.getBody().getOps<SplitOp>().begin();
  Context context;
  Values values;
  values[block.getBody().getArgument(0)] = share(Tensor({1, 4}, {0, 0, 0, 1}));
  const Status status = interpreter.runRange(linear, split, context, values);
  ASSERT_TRUE(status.ok()) << status.message();
  TensorRef weight;
  ASSERT_TRUE(interpreter.weight(linear.getWeight(), weight).ok());
  EXPECT_EQ(values[split.getResult(2)]->values[0], weight->row(8)[3]);
}

TEST_F(InterpreterTest, GreedyPicksTheLargestAndStopsAtAnEndToken) {
  std::vector<int32_t> sequence = {1, 2}, expected;
  for (int i = 0; i < 6; ++i) {
    const Tensor logits = run(sequence);
    sequence.push_back(argmax(logits.row(logits.rows() - 1), 8));
    expected.push_back(sequence.back());
  }
  std::vector<int32_t> found;
  auto collect = [&](int32_t id) { found.push_back(id); };
  ASSERT_TRUE(generateGreedily(interpreter, {}, {1, 2}, 6, {}, nullptr, collect).ok());
  EXPECT_EQ(found, expected);

  found.clear();
  const int64_t end = expected[3];
  ASSERT_TRUE(generateGreedily(interpreter, {}, {1, 2}, 6, end, nullptr, collect).ok());
  const auto stop = std::find(expected.begin(), expected.end(), end);
  EXPECT_EQ(found, std::vector<int32_t>(expected.begin(), stop));
}

TEST_F(InterpreterTest, TiesGoToTheLowestId) {
  const double values[] = {1, 3, 2, 3};
  EXPECT_EQ(argmax(values, 4), 1);
}

TEST_F(InterpreterTest, IdsOutsideTheVocabularyAreRefused) {
  EXPECT_NE(errorOf({1, 8}).find("token id 8 is outside the vocabulary of 8"), std::string::npos);
  EXPECT_NE(errorOf({-1}).find("token id -1 is outside the vocabulary of 8"), std::string::npos);
  EXPECT_EQ(errorOf({}), "no token ids to run the model on");
}

TEST_F(InterpreterTest, WrongTensorsAreNamed) {
  tiny.storeNoise("qkv1", {4, 12});
  EXPECT_NE(errorOf({1}).find("tensor \"qkv1\" is F32 [4, 12], expected F32 [12, 4]"), std::string::npos)
      << errorOf({1});
  tiny.storeNoise("qkv1", {12, 4});
  EXPECT_EQ(errorOf({1}), "");
  interpreter.forgetWeights();
  tiny.store("table", {8, 4}, std::vector<float>(32, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_NE(errorOf({1}).find("element 0 of tensor \"table\" is not finite"), std::string::npos);
}

TEST(InterpreterErrors, MissingTensor) {
  TinyModel tiny(R"(
    %table = xfmr.weight "table" : tensor<8x4xf32>
    %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %x : tensor<?x4xf32>)", 4);
  Interpreter interpreter(tiny.model(), tiny.find());
  Tensor logits;
  EXPECT_NE(interpreter.run({1}, logits).message().find("no tensor \"table\""), std::string::npos);
}
