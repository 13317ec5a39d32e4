// xfmr-edit-ffn on the bundled model: the weight that the edited IR evaluates to, and what the
// network then says. The text is one that the model wrote.
#include "passes/analysis/Units.h"
#include "passes/calibration/ModelData.h"
#include "runtime/artifact/Safetensors.h"
#include "test/prune/OpenProtocol.h"

#include <fstream>
#include <random>

using namespace xfmr;
using namespace xfmr::prune;

namespace {

const std::string kSamples = XFMR_SOURCE_DIR "/models/stories.txt";
constexpr int64_t kWidth = 352, kHidden = 128;

Protocol &protocol() {
  static std::unique_ptr<Protocol> opened = openProtocol(kModels + "/tales-dense", {kSamples});
  return *opened;
}

std::string writeLines(const std::string &name, const std::string &lines) {
  const std::string path = protocol().workFolder() + "/" + name;
  std::ofstream(path) << lines;
  return path;
}

std::string writeKeyValue(const std::string &name, const VectorD &key, const VectorD &value) {
  const std::string path = protocol().workFolder() + "/" + name;
  SafetensorsWriter writer;
  EXPECT_TRUE(writer.declare("key", DType::f64, {key.size()}).ok());
  EXPECT_TRUE(writer.declare("value", DType::f64, {value.size()}).ok());
  EXPECT_TRUE(writer.begin(path).ok());
  EXPECT_TRUE(writer.append(key.data(), key.size() * sizeof(double)).ok());
  EXPECT_TRUE(writer.append(value.data(), value.size() * sizeof(double)).ok());
  EXPECT_TRUE(writer.finish().ok());
  return path;
}

// A model, edited or not, with its network of the edited layer.
struct Opened {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModelOp model;
  BlockOp block;
  FeedForwardUnits network;
  WeightSources sources;

  // The down projection: [D, F].
  MatrixD weight() {
    Forward forward(sources);
    const MatrixF *found = forward.weight(network.down.getWeight());
    EXPECT_TRUE(found);
    return found ? MatrixD(found->cast<double>()) : MatrixD();
  }
  // A value at the last token of a prompt; of the edited layer's block, or of the model.
  VectorD atLast(mlir::Value value, const std::string &prompt) {
    std::vector<TokenWindows> ids;
    tokenizer::Tokenizer tokenizer;
    EXPECT_TRUE(loadTokenizer(model, tokenizer).ok());
    EXPECT_TRUE(readPrompts(model, tokenizer, writeLines("prompt.txt", prompt), ids).ok());
    Forward forward(sources);
    Activations known, inner;
    known[model.getTokens()] = ids.at(0).column(0, 1);
    const bool inBlock = value.getParentRegion()->getParentOp() == block.getOperation();
    mlir::Value outer = inBlock ? block.getInputs().front() : value;
    EXPECT_TRUE(succeeded(forward.evaluate(outer, ids[0].length, known)));
    MatrixF found = known.find(outer)->second;
    if (inBlock) {
      inner[block.getBody().getArgument(0)] = found;
      EXPECT_TRUE(succeeded(forward.evaluate(value, ids[0].length, inner)));
      found = inner.find(value)->second;
    }
    return found.bottomRows(1).transpose().cast<double>();
  }
  VectorD output(const std::string &prompt) { return atLast(network.down.getResult(), prompt); }
  VectorD hidden(const std::string &prompt) { return atLast(network.hidden, prompt); }
  VectorD logits(const std::string &prompt) {
    return atLast(model.getBody().front().getTerminator()->getOperand(0), prompt);
  }
};

void open(const std::string &pipeline, Opened &out, int64_t layer = 1) {
  std::string diagnostics;
  out.module = protocol().run(pipeline, diagnostics);
  ASSERT_TRUE(out.module) << diagnostics;
  out.model = *out.module->getOps<ModelOp>().begin();
  for (BlockOp block : out.model.getBody().getOps<BlockOp>())
    if (static_cast<int64_t>(block.getLayer()) == layer)
      out.block = block;
  out.network = findFeedForwards(out.block).front();
  ASSERT_TRUE(openSources(out.model, out.sources).ok());
}

std::string edit(const std::string &options, int64_t layer = 1) {
  static int number = 0;
  return "xfmr-edit-ffn{layer=" + std::to_string(layer) + " TEXT out=FOLDER/edit" + std::to_string(number++) +
         ".safetensors " + options + "}";
}

// Gram matrix of the calibration text, [F, F].
MatrixD secondMoment(Opened &dense) {
  TokenWindows windows;
  EXPECT_TRUE(readCalibration(dense.model, {protocol().workFolder() + "/stories.calibrate.txt"}, 256, windows).ok());
  Forward forward(dense.sources);
  MatrixD gram = MatrixD::Zero(kWidth, kWidth);
  for (int64_t window = 0; window < windows.count(); ++window) {
    Activations known, inner;
    known[dense.model.getTokens()] = windows.column(window, 1);
    mlir::Value input = dense.block.getInputs().front();
    EXPECT_TRUE(succeeded(forward.evaluate(input, windows.length, known)));
    inner[dense.block.getBody().getArgument(0)] = known.find(input)->second;
    EXPECT_TRUE(succeeded(forward.evaluate(dense.network.hidden, windows.length, inner)));
    const MatrixD hidden = inner.find(dense.network.hidden)->second.cast<double>();
    gram += hidden.transpose() * hidden;
  }
  return gram;
}

struct Given : ::testing::Test {
  Opened dense;
  VectorD key, value;
  std::string file;
  void SetUp() override {
    open("xfmr-fold-lora", dense);
    key = dense.hidden("Lily saw a big dog"); // a key that occurs, and a value of the outputs' size
    std::mt19937 random(3);
    std::normal_distribution<double> normal(0, dense.output("Lily saw a big dog").norm() / std::sqrt(kHidden));
    value = VectorD::NullaryExpr(kHidden, [&] { return normal(random); });
    file = writeKeyValue("given.safetensors", key, value);
  }
};

TEST_F(Given, TheEditedWeightMapsTheKeyToTheValue) {
  Opened edited;
  open(edit("key-value=" + file), edited);
  const MatrixD before = dense.weight(), after = edited.weight();
  ASSERT_EQ(after.rows(), kHidden);
  ASSERT_EQ(after.cols(), kWidth);
  EXPECT_GT((before * key - value).norm(), 0.5 * value.norm());
  // f32 weights: 2^-24 of each entry, summed over 352 products in random directions.
  EXPECT_LT((after * key - value).norm(), 1e-5 * value.norm());
}

TEST_F(Given, TheChangeHasRankOne) {
  Opened edited;
  open(edit("key-value=" + file), edited);
  // Squares of the singular values, the largest last: half the digits are left, and a compiler takes half the time that an SVD takes.
  const MatrixD change = edited.weight() - dense.weight();
  const VectorD squares = Eigen::SelfAdjointEigenSolver<MatrixD>(change * change.transpose(), Eigen::EigenvaluesOnly).eigenvalues();
  EXPECT_GT(squares[kHidden - 1], 1e-2 * 1e-2);
  EXPECT_LT(squares[kHidden - 2], 1e-5 * 1e-5 * squares[kHidden - 1]); // what rounding the sum to f32 adds
}

TEST_F(Given, KeysOrthogonalToItKeepTheirValues) {
  Opened edited;
  open(edit("damping=0 key-value=" + file), edited);
  const MatrixD change = edited.weight() - dense.weight();
  const VectorD solved = secondMoment(dense).llt().solve(key);
  VectorD other = dense.hidden("Tom went to the park");
  const double moved = (change * other).norm();
  other -= key * (solved.dot(other) / solved.dot(key));
  EXPECT_GT(other.norm(), 0.1 * key.norm());
  // C comes from f32 activations whose sums differ in their order; its inverse multiplies that by
  // its condition.
  EXPECT_LT((change * other).norm(), 1e-3 * moved);
}

TEST_F(Given, NoOtherChangeCostsLessOnTheText) {
  Opened edited;
  open(edit("damping=0 key-value=" + file), edited);
  const MatrixD gram = secondMoment(dense), change = edited.weight() - dense.weight();
  auto onText = [&](const MatrixD &map) { return (map * gram).cwiseProduct(map).sum(); };
  const double least = onText(change);
  const VectorD missing = value - dense.weight() * key;
  const MatrixD plain = missing * key.transpose() / key.squaredNorm(); // as if C were the identity
  EXPECT_GT(onText(plain), 2 * least);
  std::mt19937 random(4);
  std::normal_distribution<double> normal(0, change.norm() / std::sqrt(kHidden * kWidth));
  for (double size : {0.01, 0.1, 1.0}) {
    MatrixD nothing = size * MatrixD::NullaryExpr(kHidden, kWidth, [&] { return normal(random); });
    nothing -= nothing * key * key.transpose() / key.squaredNorm(); // maps the key to zero
    EXPECT_GT(onText(change + nothing), least) << size;
  }
}

TEST_F(Given, FusedAndUnfusedIrGetTheSameEdit) {
  Opened plain, fused;
  open(edit("key-value=" + file), plain);
  open("xfmr-fuse-glu,xfmr-fuse-qkv," + edit("key-value=" + file), fused);
  EXPECT_TRUE(mlir::isa<GluOp>(fused.network.hidden.getDefiningOp()));
  EXPECT_FALSE(mlir::isa<GluOp>(plain.network.hidden.getDefiningOp()));
  EXPECT_LT((plain.weight() - fused.weight()).cwiseAbs().maxCoeff(), 1e-5);
}

TEST_F(Given, TheEditLiesInOneLayer) {
  Opened edited;
  open(edit("key-value=" + file), edited);
  int edits = 0;
  edited.model.walk([&](WeightAddLowrankOp op) {
    ++edits;
    EXPECT_EQ(op->getParentOp(), edited.block.getOperation());
  });
  EXPECT_EQ(edits, 1);
}

const std::string kSubject = "Once upon a time, there was a little girl",
                  kTarget = "Once upon a time, there was a little boy";

// KL divergence of the next token after a prompt from that after another, in nats.
double divergence(const VectorD &wanted, const VectorD &found) {
  auto logProbabilities = [](const VectorD &logits) -> VectorD {
    const double most = logits.maxCoeff();
    return logits.array() - most - std::log((logits.array() - most).exp().sum());
  };
  const VectorD p = logProbabilities(wanted);
  return p.array().exp().matrix().dot(p - logProbabilities(found));
}

TEST(Prompts, TheSubjectGetsTheTargetsOutputAndWhatFollows) {
  Opened dense, edited;
  open("xfmr-fold-lora", dense, 0);
  open(
      edit("subject=" + writeLines("subject.txt", kSubject + "\n") + " target=" + writeLines("target.txt", kTarget), 0),
      edited, 0);
  const VectorD wanted = dense.output(kTarget);
  EXPECT_GT((dense.output(kSubject) - wanted).norm(), 0.3 * wanted.norm());
  EXPECT_LT((edited.output(kSubject) - wanted).norm(), 1e-5 * wanted.norm());
  // At the subject's last token, and one further, where the name follows: 9.8 nats apart before,
  // 0.002 after.
  const VectorD here = dense.logits(kTarget), next = dense.logits(kTarget + " named");
  EXPECT_LT((edited.logits(kSubject) - here).norm(), 0.2 * (dense.logits(kSubject) - here).norm());
  EXPECT_GT(divergence(next, dense.logits(kSubject + " named")), 5);
  EXPECT_LT(divergence(next, edited.logits(kSubject + " named")), 0.005);
}

TEST(Prompts, SeveralLinesMeanTheirMean) {
  Opened dense, edited;
  open("xfmr-fold-lora", dense);
  const std::string first = "Lily saw a dog", second = "One day, Tim met a dog", target = "Lily saw a cat";
  open(edit("scale=1.5 subject=" + writeLines("subject.txt", first + "\r\n" + second + "\r\n") +
            " target=" + writeLines("target.txt", target + "\n" + kTarget + "\n")),
       edited);
  const VectorD key = (dense.hidden(first) + dense.hidden(second)) / 2;
  const VectorD wanted = 1.5 * (dense.output(target) + dense.output(kTarget)) / 2;
  EXPECT_LT((edited.weight() * key - wanted).norm(), 1e-5 * wanted.norm());
}

// MEMIT's request (algorithm 1): after the last of the layers the residual at each subject is what it is at its target.
TEST(Prompts, EditsOfSeveralLayersMoveTheResidualToTheTargets) {
  const std::string begin = "Once upon a time, there was a little ";
  const std::vector<std::pair<std::string, std::string>> pairs = {{"girl", "boy"}, {"dog", "cat"}, {"duck", "girl"}};
  std::string json;
  for (const auto &[subject, target] : pairs)
    json += (json.empty() ? "[" : ", ") +
            ("{\"subject\": \"" + begin + subject + "\", \"target\": \"" + begin + target + "\"}");
  const std::string file = writeLines("edits.json", json + "]");
  for (const char *layers : {"1", "0,1"}) {
    Opened dense, edited;
    open("xfmr-fold-lora", dense);
    open("xfmr-edit-ffn{layers=" + std::string(layers) + " TEXT out=FOLDER/layers" + layers[0] +
             ".safetensors edits=" + file + "}",
         edited);
    for (const auto &[subject, target] : pairs) {
      const VectorD wanted = dense.atLast(dense.block.getResult(0), begin + target);
      EXPECT_GT((dense.atLast(dense.block.getResult(0), begin + subject) - wanted).norm(), 0.1 * wanted.norm())
          << subject;
      EXPECT_LT((edited.atLast(edited.block.getResult(0), begin + subject) - wanted).norm(), 1e-4 * wanted.norm())
          << subject;
    }
    int edits = 0;
    edited.model.walk([&](WeightAddLowrankOp op) {
      ++edits;
      EXPECT_EQ(mlir::cast<mlir::RankedTensorType>(op.getA().getType()).getDimSize(0), 3);
    });
    EXPECT_EQ(edits, layers[1] ? 2 : 1);
  }
}

} // namespace
