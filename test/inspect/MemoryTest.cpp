// The picture of a feed-forward network against the reference interpreter: its contributions sum to what the network gives,
// its figures are those of the interpreter's activations, and the way to the logits is followed through every kind of norm.
#include "passes/analysis/Units.h"
#include "passes/calibration/ModelData.h"
#include "reference/Interpreter.h"
#include "tools/model/ModelFile.h"
#include "tools/xfmr-inspect/Memory.h"
#include "tools/xfmr-inspect/TokenTexts.h"
#include "tools/xfmr-inspect/Vocabulary.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::inspect;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kLayer = 1, kWidth = 352, kHidden = 128, kWindow = 32;

// The first 500 bytes of the samples, which go when the test ends.
struct Text {
  const std::string path = (fs::temp_directory_path() / ("xfmr-memory-" + std::to_string(getpid()))).string();
  Text() {
    std::string bytes(500, ' ');
    std::ifstream(XFMR_SOURCE_DIR "/models/stories.txt").read(bytes.data(), bytes.size());
    std::ofstream(path) << bytes;
  }
  ~Text() { fs::remove(path); }
};

MatrixD matrixOf(const reference::Tensor &tensor) {
  return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      tensor.values.data(), tensor.rows(), tensor.columns());
}

// The model, and what the interpreter finds in one layer on the text, without begin tokens.
struct Memory : ::testing::Test {
  Text text;
  ModelFile file;
  FeedForwardUnits network;
  MatrixD hidden, outputs; // [N, F], [N, D]
  MatrixD down;            // [D, F]

  void SetUp() override {
    ASSERT_TRUE(ModelFile::open(XFMR_SOURCE_DIR "/models/tales-dense", {}, file).ok());
    for (BlockOp block : file.model.getBody().getOps<BlockOp>())
      if (static_cast<int64_t>(block.getLayer()) == kLayer)
        network = findFeedForwards(block).front();
    reference::Interpreter interpreter(file.model, file.findTensor());
    TokenWindows windows;
    ASSERT_TRUE(readCalibration(file.model, {text.path}, kWindow, windows).ok());
    ASSERT_GE(windows.count(), 3);
    hidden.resize(0, kWidth);
    outputs.resize(0, kHidden);
    interpreter.observe({[&](mlir::OpResult result, const reference::Tensor &tensor) {
                           if (result == network.hidden)
                             append(hidden, matrixOf(tensor));
                           if (result == network.down.getResult())
                             append(outputs, matrixOf(tensor));
                         },
                         {}});
    for (int64_t window = 0; window < windows.count(); ++window) {
      reference::Tensor logits;
      const llvm::ArrayRef<int32_t> ids(windows.ids);
      ASSERT_TRUE(interpreter.run(ids.slice(window * kWindow, kWindow), logits).ok());
    }
    reference::TensorRef weight;
    ASSERT_TRUE(interpreter.weight(network.down.getWeight(), weight).ok());
    down = matrixOf(*weight);
  }

  static void append(MatrixD &rows, const MatrixD &window) {
    ASSERT_EQ(window.rows(), kWindow);
    rows.conservativeResize(rows.rows() + kWindow - 1, Eigen::NoChange);
    rows.bottomRows(kWindow - 1) = window.bottomRows(kWindow - 1);
  }

  FfnMemory read(std::optional<int64_t> channel, int64_t top) {
    FfnMemory memory;
    MemoryOptions options{kLayer, std::nullopt, channel, {text.path}, kWindow, top};
    Status status = readMemory(file.model, options, memory);
    EXPECT_TRUE(status.ok()) << status.message();
    return memory;
  }
};

TEST_F(Memory, ContributionsOfAllChannelsSumToWhatTheNetworkGives) {
  MatrixD shown = MatrixD::Constant(hidden.rows(), kWidth, NAN);
  for (int64_t channel = 0; channel < kWidth; ++channel) {
    const FfnMemory memory = read(channel, hidden.rows());
    ASSERT_EQ(memory.channels.size(), 1u);
    ASSERT_EQ(memory.channels[0].firings.size(), static_cast<size_t>(hidden.rows()));
    for (const Firing &firing : memory.channels[0].firings)
      shown(firing.window * (kWindow - 1) + firing.position - 1, channel) = firing.value;
  }
  // f32 against f64 through two blocks: sums of at most 352 products, each rounded by 2^-24.
  EXPECT_LT((shown - hidden).norm(), 1e-5 * hidden.norm());
  const MatrixD sum = shown * down.transpose();
  EXPECT_GT(outputs.norm(), 1);
  EXPECT_LT((sum - outputs).norm(), 1e-5 * outputs.norm());
}

TEST_F(Memory, AChannelShowsItsLargestActivations) {
  const int64_t channel = 5, tokens = hidden.rows();
  const FfnMemory memory = read(channel, 4);
  EXPECT_EQ(memory.model, "tales-dense");
  EXPECT_EQ(memory.tokens, tokens);
  EXPECT_EQ(memory.width, kWidth);
  ASSERT_EQ(memory.channels.size(), 1u);
  const Channel &found = memory.channels[0];
  const VectorD h = hidden.col(channel);
  EXPECT_NEAR(found.meanAbs, h.cwiseAbs().mean(), 1e-5 * h.cwiseAbs().mean());
  EXPECT_EQ(found.positiveShare, static_cast<double>((h.array() > 0).count()) / static_cast<double>(tokens));
  EXPECT_NEAR(found.columnNorm, down.col(channel).norm(), 1e-6 * found.columnNorm);
  std::vector<double> sizes(tokens);
  VectorD::Map(sizes.data(), tokens) = h.cwiseAbs();
  std::sort(sizes.rbegin(), sizes.rend());
  ASSERT_EQ(found.firings.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(std::abs(found.firings[i].value), sizes[i], 1e-5 * sizes[0]);
    EXPECT_NEAR(h[found.firings[i].window * (kWindow - 1) + found.firings[i].position - 1], found.firings[i].value,
                1e-5 * sizes[0]);
  }
  EXPECT_EQ(found.promotes.size(), 4u);
  EXPECT_EQ(found.suppresses.size(), 4u);
}

TEST_F(Memory, TokensAreShownAsTheyStandInTheText) {
  std::ifstream in(text.path);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  const FfnMemory memory = read(0, hidden.rows());
  size_t longer = 0;
  for (const Firing &firing : memory.channels[0].firings) {
    EXPECT_NE(all.find(firing.context + firing.token), std::string::npos) << firing.context << "|" << firing.token;
    EXPECT_EQ(firing.context.empty(), firing.position == 1);
    longer += firing.context.size() > 8;
  }
  EXPECT_GT(longer, memory.channels[0].firings.size() / 2);
}

TEST_F(Memory, ALayerListsTheChannelsThatContributeMost) {
  const VectorD contributions =
      hidden.cwiseAbs().colwise().mean().transpose().cwiseProduct(down.colwise().norm().transpose());
  std::vector<int64_t> order(kWidth);
  for (int64_t i = 0; i < kWidth; ++i)
    order[i] = i;
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return contributions[a] > contributions[b]; });
  const FfnMemory some = read(std::nullopt, 6), all = read(std::nullopt, 1000);
  ASSERT_EQ(some.channels.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    const Channel &found = some.channels[i];
    EXPECT_EQ(found.channel, order[i]);
    EXPECT_NEAR(found.share, contributions[order[i]] / contributions.sum(), 1e-5 * found.share);
    EXPECT_NEAR(found.meanAbs * found.columnNorm, contributions[order[i]], 1e-5 * contributions[order[i]]);
    EXPECT_EQ(found.promotes.size(), 3u);
  }
  ASSERT_EQ(all.channels.size(), static_cast<size_t>(kWidth));
  double shares = 0;
  for (const Channel &channel : all.channels)
    shares += channel.share;
  EXPECT_NEAR(shares, 1, 1e-12);
}

// The way to the logits after a change of the model: column 7's scores by plain loops.
struct Way : Memory {
  VectorD norm;  // of the checkpoint
  MatrixD head;  // [V, D]
  VectorD x;     // [D], the column

  void SetUp() override {
    Memory::SetUp();
    norm = stored("model.norm.weight").col(0);
    head = stored("model.embed_tokens.weight");
    x = down.col(7);
  }
  MatrixD stored(const std::string &name) {
    const TensorView *tensor = nullptr;
    EXPECT_TRUE(file.sources.find("base", name, tensor).ok());
    const int64_t columns = tensor->shape.size() > 1 ? tensor->shape[1] : 1;
    return Eigen::Map<const MatrixF>(reinterpret_cast<const float *>(tensor->data), tensor->shape[0], columns)
        .cast<double>();
  }
  RmsNormOp finalNorm() { return *file.model.getBody().getOps<RmsNormOp>().begin(); }
  void expectScores(const VectorD &written) {
    Forward forward(file.sources);
    Vocabulary vocabulary;
    Status status = vocabulary.open(file.model, network.down, forward);
    ASSERT_TRUE(status.ok()) << status.message();
    const VectorD found = vocabulary.scores(x);
    ASSERT_EQ(found.size(), head.rows());
    double most = 0;
    for (int64_t token = 0; token < head.rows(); ++token) {
      double sum = 0;
      for (int64_t i = 0; i < kHidden; ++i)
        sum += head(token, i) * written[i];
      most = std::max(most, std::abs(sum));
      EXPECT_NEAR(found[token], sum, 1e-6);
    }
    EXPECT_GT(most, 0.01);
  }
};

TEST_F(Way, ThroughAnRmsNorm) { expectScores(norm.cwiseProduct(x)); }

TEST_F(Way, AUnitOffsetCounts) {
  finalNorm().setUnitOffset(true);
  expectScores((norm.array() + 1).matrix().cwiseProduct(x));
}

TEST_F(Way, ALayerNormTakesTheMeanOff) {
  RmsNormOp rms = finalNorm();
  mlir::OpBuilder builder(rms);
  auto layer = LayerNormOp::create(builder, rms.getLoc(), rms.getType(), rms.getInput(), rms.getWeight(),
                                   /*bias=*/mlir::Value(), rms.getEpsAttr());
  rms.replaceAllUsesWith(layer.getResult());
  rms.erase();
  x.array() += 0.1;
  const VectorD centred = x.array() - x.mean();
  expectScores(norm.cwiseProduct(centred));
}

TEST_F(Way, NormsAndFactorsOfTheNetworksOutputCount) {
  LinearOp projection = network.down;
  mlir::OpBuilder builder(projection->getContext());
  builder.setInsertionPointAfter(projection);
  auto input = projection->getParentOfType<BlockOp>().getBody().front().getOps<RmsNormOp>().begin();
  auto after = RmsNormOp::create(builder, projection.getLoc(), projection.getType(), projection.getResult(),
                                 (*input).getWeight(), (*input).getEpsAttr(), builder.getUnitAttr());
  auto scaled = ScaleOp::create(builder, projection.getLoc(), projection.getType(), after.getResult(),
                                builder.getF64FloatAttr(0.25));
  projection.getResult().replaceUsesWithIf(scaled.getResult(),
                                           [&](mlir::OpOperand &use) { return use.getOwner() != after; });
  const VectorD own = stored("model.layers.1.input_layernorm.weight").col(0);
  expectScores(0.25 * norm.cwiseProduct((own.array() + 1).matrix()).cwiseProduct(x));
}

TEST_F(Way, ANormOfGroupsHasItsWeightInEach) {
  RmsNormOp rms = finalNorm();
  mlir::OpBuilder builder(rms);
  auto type = mlir::RankedTensorType::get({16}, builder.getF32Type());
  rms.getWeightMutable().assign(WeightSliceOp::create(builder, rms.getLoc(), type, rms.getWeight(), 0, 32, 16));
  VectorD scale(kHidden);
  for (int64_t i = 0; i < kHidden; ++i)
    scale[i] = norm[32 + i % 16];
  expectScores(scale.cwiseProduct(x));
}

TEST_F(Way, LogitsOfAnotherKindAreRefused) {
  RmsNormOp rms = finalNorm();
  mlir::OpBuilder builder(rms);
  auto sum = AddOp::create(builder, rms.getLoc(), rms.getType(), rms.getInput(), rms.getInput());
  rms.getInputMutable().assign(sum.getResult());
  FfnMemory memory;
  const Status status = readMemory(file.model, {kLayer, std::nullopt, 7, {text.path}, kWindow, 3}, memory);
  EXPECT_EQ(status.message(), "the logits are not a norm and one linear map of what the last block gives");
}

TEST_F(Way, ANormBeforeTheDownProjectionIsRefused) {
  LinearOp projection = network.down;
  mlir::OpBuilder builder(projection);
  auto weight = WeightOp::create(builder, projection.getLoc(),
                                 mlir::RankedTensorType::get({kWidth}, builder.getF32Type()),
                                 builder.getStringAttr("sub_norm"), builder.getStringAttr("base"));
  auto sub = RmsNormOp::create(builder, projection.getLoc(), network.hidden.getType(), network.hidden,
                               weight.getResult(), builder.getF64FloatAttr(1e-5), mlir::UnitAttr());
  projection.getInputMutable().assign(sub.getResult());
  FfnMemory memory;
  const Status status = readMemory(file.model, {kLayer, std::nullopt, 7, {text.path}, kWindow, 3}, memory);
  EXPECT_EQ(status.message(), "layer 1: its feed-forward network has no down projection: it is read by "
                              "'xfmr.rms_norm', not by a projection only");
}

TEST(TokenText, IsOneFieldOfALine) {
  EXPECT_EQ(quoted(" dog"), "\" dog\"");
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(quoted(llvm::StringRef("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(quoted("\xc2\x85\xe2\x80\xa8\xe2\x80\xa9"), R"("\u0085\u2028\u2029")");
  EXPECT_EQ(quoted("\xc3\xa9\xe2\x80\xa6"), "\"\xc3\xa9\xe2\x80\xa6\""); // é…
}

TEST(MemoryPlace, IsALayerOrAChannelOfOne) {
  MemoryOptions options;
  EXPECT_TRUE(parseMemoryPlace("12", options));
  EXPECT_EQ(options.layer, 12);
  EXPECT_FALSE(options.channel);
  EXPECT_TRUE(parseMemoryPlace("0:351", options));
  EXPECT_EQ(options.layer, 0);
  EXPECT_EQ(options.channel, 351);
  EXPECT_FALSE(options.expert);
  EXPECT_TRUE(parseMemoryPlace("3:7:12", options));
  EXPECT_EQ(options.layer, 3);
  EXPECT_EQ(options.expert, 7);
  EXPECT_EQ(options.channel, 12);
  for (const char *wrong : {"", ":", "1:", ":1", "-1", "1:-1", "1:2:3:4", "1::3", "one", "1.5", "+1", "99999999999999999999"})
    EXPECT_FALSE(parseMemoryPlace(wrong, options)) << wrong;
}

} // namespace
