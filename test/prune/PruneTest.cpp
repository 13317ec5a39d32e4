// What must hold of pruned models: calibration's forward pass is the interpreter's, masking equals cutting, and the
// methods cost what docs/Pruning.md says, on text that the bundled model wrote and, where the reference texts lie beside
// the repository, by the full protocol.
#include "test/prune/Protocol.h"
#include "test/reference/Interpreter.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

using namespace xfmr;
using xfmr::prune::Protocol;
namespace fs = std::filesystem;

namespace {

const std::string kModels = XFMR_SOURCE_DIR "/models";
const std::string kShared = XFMR_SOURCE_DIR "/../shared/models";
const std::string kSamples = XFMR_SOURCE_DIR "/test/prune/Inputs/tales-dense-samples.txt";

std::string workFolder(const std::string &name) {
  return (fs::temp_directory_path() / ("xfmr-prune-" + std::to_string(getpid()))).string() + "/" + name;
}

struct RemoveWork : ::testing::Environment {
  void TearDown() override { fs::remove_all(fs::path(workFolder("x")).parent_path()); }
};
const auto *removeWork = ::testing::AddGlobalTestEnvironment(new RemoveWork);

std::unique_ptr<Protocol> openProtocol(const std::string &model, const std::vector<std::string> &texts,
                                       bool swapped = false) {
  std::unique_ptr<Protocol> protocol;
  Status status = Protocol::open(model, texts, workFolder(fs::path(model).filename().string()), swapped, protocol);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::move(protocol) : nullptr;
}

// One protocol a model and text for all tests of a process.
Protocol &samples() {
  static std::unique_ptr<Protocol> protocol = openProtocol(kModels + "/tales-dense", {kSamples});
  return *protocol;
}

// Logits [T, V] of the interpreter in f64.
reference::Tensor interpret(ModelOp model, const std::vector<int32_t> &ids) {
  WeightSources sources;
  reference::Tensor logits;
  for (mlir::NamedAttribute source : model.getSources())
    EXPECT_TRUE(sources.add(source.getName().str(), mlir::cast<mlir::StringAttr>(source.getValue()).str()).ok());
  reference::Interpreter interpreter(
      model, [&](llvm::StringRef source, llvm::StringRef name, const TensorView *&out) {
        return sources.find(source.str(), name.str(), out);
      });
  Status status = interpreter.run(ids, logits);
  EXPECT_TRUE(status.ok()) << status.message();
  return logits;
}

double largestDifference(const reference::Tensor &a, const reference::Tensor &b) {
  EXPECT_EQ(a.shape, b.shape);
  double most = a.shape == b.shape ? 0 : 1e300;
  for (size_t i = 0; i < a.values.size() && a.shape == b.shape; ++i)
    most = std::max(most, std::abs(a.values[i] - b.values[i]));
  return most;
}

const std::vector<int32_t> kIds{1, 5, 17, 300, 44, 9, 260, 511, 3, 77, 120, 8};

void expectForwardEqualsInterpreter(const std::string &folder) {
  ModelFile file;
  ASSERT_TRUE(ModelFile::open(folder, {}, file).ok());
  Forward forward(file.sources);
  Activations known;
  MatrixF ids(kIds.size(), 1);
  std::vector<int32_t> tokens = kIds;
  for (size_t i = 0; i < kIds.size(); ++i) {
    tokens[i] %= file.model.getConfig().getVocabSize();
    ids(i, 0) = static_cast<float>(tokens[i]);
  }
  known[file.model.getTokens()] = ids;
  mlir::Value output = file.model.getBody().front().getTerminator()->getOperand(0);
  ASSERT_TRUE(mlir::succeeded(forward.evaluate(output, kIds.size(), known)));
  const MatrixF &logits = known.find(output)->second;
  const reference::Tensor expected = interpret(file.model, tokens);
  ASSERT_EQ(expected.values.size(), static_cast<size_t>(logits.size()));
  double most = 0;
  for (size_t i = 0; i < expected.values.size(); ++i)
    most = std::max(most, std::abs(expected.values[i] - logits.data()[i]));
  EXPECT_LT(most, 1e-4) << folder;
}

TEST(Forward, EqualsTheInterpreter) {
  expectForwardEqualsInterpreter(kModels + "/tales-dense");
  expectForwardEqualsInterpreter(kModels + "/tales-moe");
}

TEST(Forward, EqualsTheInterpreterOnEveryFamily) {
  if (!fs::exists(kShared + "/minis"))
    GTEST_SKIP() << "no reference models at " << kShared;
  for (const char *name : {"gemma2", "gemma3", "gpt-neox", "gpt2", "gpt-oss", "llama-rope-yarn", "llama-rope-llama3",
                           "olmo2", "phi3", "qwen2-moe", "qwen3-moe", "granite-moe"}) {
    expectForwardEqualsInterpreter(kShared + "/minis/" + name);
  }
}

// Prune and mask with the same options, and compare logits.
void expectMaskEqualsPrune(const std::string &model, const std::string &what, const std::string &options) {
  static int number = 0;
  std::unique_ptr<Protocol> protocol;
  Protocol *p = &samples();
  if (model != kModels + "/tales-dense") {
    protocol = openProtocol(model, {kSamples});
    p = protocol.get();
  }
  ASSERT_TRUE(p);
  std::string diagnostics;
  const std::string out = " out=FOLDER/mask" + std::to_string(number++);
  auto pruned = p->run("xfmr-prune-" + what + "{" + options + out + "p.safetensors}", diagnostics);
  auto masked = p->run("xfmr-mask-" + what + "{" + options + out + "m.safetensors}", diagnostics);
  ASSERT_TRUE(pruned && masked) << diagnostics;
  const auto a = interpret(*pruned->getOps<ModelOp>().begin(), kIds);
  const auto b = interpret(*masked->getOps<ModelOp>().begin(), kIds);
  EXPECT_LT(largestDifference(a, b), 1e-4) << what << " " << options;
  const auto dense = interpret(p->file().model, kIds);
  EXPECT_GT(largestDifference(a, dense), 1e-2) << what << " " << options;
}

TEST(Mask, EqualsPruneOnTheDenseModel) {
  const std::string dense = kModels + "/tales-dense";
  expectMaskEqualsPrune(dense, "heads", "heads=4");
  expectMaskEqualsPrune(dense, "heads", "heads=4 mode=kv-groups method=magnitude");
  expectMaskEqualsPrune(dense, "heads", "heads=4 method=obs TEXT");
  expectMaskEqualsPrune(dense, "ffn", "width=176 method=magnitude");
  expectMaskEqualsPrune(dense, "ffn", "width=176 method=flap TEXT");
  expectMaskEqualsPrune(dense, "ffn", "width=88 method=obs TEXT");
  expectMaskEqualsPrune(dense, "ffn", "width=176 method=obs repair=full TEXT");
}

TEST(Mask, EqualsPruneOnTheMixture) {
  const std::string moe = kModels + "/tales-moe";
  expectMaskEqualsPrune(moe, "heads", "heads=4 mode=kv-groups");
  expectMaskEqualsPrune(moe, "ffn", "width=64 method=magnitude");
  expectMaskEqualsPrune(moe, "ffn", "width=64 method=flap TEXT");
  expectMaskEqualsPrune(moe, "experts", "experts=4");
  expectMaskEqualsPrune(moe, "experts", "experts=6 method=reap repair=none TEXT");
}

TEST(Layers, MaskEqualsPrune) {
  std::string diagnostics;
  auto pruned = samples().run("xfmr-prune-layers{keep=3 method=influence TEXT}", diagnostics);
  auto masked = samples().run("xfmr-mask-layers{keep=3 method=influence TEXT}", diagnostics);
  ASSERT_TRUE(pruned && masked) << diagnostics;
  EXPECT_LT(largestDifference(interpret(*pruned->getOps<ModelOp>().begin(), kIds),
                              interpret(*masked->getOps<ModelOp>().begin(), kIds)),
            1e-12);
}

double kl(Protocol &protocol, const std::string &pass, const std::string &options) {
  static int number = 0;
  const std::string out = " out=FOLDER/kl" + std::to_string(number++) + ".safetensors";
  const bool writes = options.find("method=obs") != std::string::npos || options.find("fasp") != std::string::npos ||
                      options.find("flap") != std::string::npos || pass == "budget" ||
                      options.find("reap") != std::string::npos;
  return protocol.measure("xfmr-prune-" + pass + "{" + options + (writes ? out : "") + "}").value_or(1e300);
}

// The orders between methods that hold everywhere.
void expectOrders(Protocol &protocol, const std::string &width, bool half) {
  const double magnitude = kl(protocol, "ffn", "width=" + width + " method=magnitude");
  const double activation = kl(protocol, "ffn", "width=" + width + " method=activation TEXT");
  const double wanda = kl(protocol, "ffn", "width=" + width + " method=wanda-sp TEXT");
  const double flap = kl(protocol, "ffn", "width=" + width + " method=flap TEXT");
  const double fasp = kl(protocol, "ffn", "width=" + width + " method=fasp TEXT");
  const double ls = kl(protocol, "ffn", "width=" + width + " method=obs path=dense TEXT");
  const double full = kl(protocol, "ffn", "width=" + width + " method=obs TEXT");
  EXPECT_LT(activation, 0.97 * magnitude) << width;
  EXPECT_LT(wanda, 0.95 * activation) << width;
  EXPECT_LT(fasp, (half ? 0.80 : 0.92) * std::min(wanda, flap)) << width;
  EXPECT_LT(full, 0.96 * ls) << width;
  if (half)
    EXPECT_LT(ls, 0.98 * fasp) << width;
}

// On text the bundled model wrote; limits 12 % above what was measured.
TEST(Samples, OrdersAndLimits) {
  expectOrders(samples(), "176", /*half=*/true);
  EXPECT_LT(kl(samples(), "ffn", "width=176 method=obs TEXT"), 0.22);
  EXPECT_LT(kl(samples(), "heads", "heads=4 method=obs TEXT"), 0.20);
  EXPECT_LT(kl(samples(), "heads", "heads=4 mode=kv-groups method=obs TEXT"), 0.205);
}

// As many parameters as half the width with all heads: 869504 - 4 * 3 * 128 * 176.
TEST(Samples, BudgetBeatsTheUniformCut) {
  const double uniform = kl(samples(), "ffn", "width=176 method=obs TEXT");
  EXPECT_LT(kl(samples(), "budget", "params=599168 TEXT"), 0.9 * uniform);
}

// ---- The protocol on the reference texts ---------------------------------------------------------------------------

struct Limits {
  const char *pass, *options;
  double least, most;
};

void expectLimits(Protocol &protocol, llvm::ArrayRef<Limits> limits) {
  for (const Limits &limit : limits) {
    const double value = kl(protocol, limit.pass, limit.options);
    EXPECT_LE(value, limit.most) << limit.pass << " " << limit.options;
    EXPECT_GE(value, limit.least) << limit.pass << " " << limit.options;
  }
}

#define REQUIRE_TEXTS                                                                                                  \
  if (!fs::exists(kShared + "/text/stories.txt"))                                                                      \
  GTEST_SKIP() << "no reference texts at " << kShared << "/text: the limits of the protocol are NOT checked"

TEST(Limits, TalesDense) {
  REQUIRE_TEXTS;
  auto p = openProtocol(kModels + "/tales-dense", {kShared + "/text/stories.txt"});
  ASSERT_TRUE(p);
  expectLimits(*p, {{"ffn", "width=264 method=obs TEXT", 0, 0.051},
                    {"ffn", "width=176 method=obs TEXT", 0, 0.27},
                    {"ffn", "width=88 method=obs TEXT", 0, 1.38},
                    {"ffn", "width=176 method=obs path=dense TEXT", 0, 0.33},
                    {"ffn", "width=176 method=fasp TEXT", 0, 0.37},
                    {"ffn", "width=176 method=magnitude", 0.98 * 1.604, 1.02 * 1.604},
                    {"ffn", "width=176 method=activation TEXT", 0.98 * 0.619, 1.02 * 0.619},
                    {"ffn", "width=176 method=wanda-sp TEXT", 0.98 * 0.444, 1.02 * 0.444},
                    {"ffn", "width=176 method=flap TEXT", 0.98 * 0.579, 1.02 * 0.579},
                    {"heads", "heads=4 method=obs TEXT", 0, 0.22},
                    {"heads", "heads=4 mode=kv-groups method=obs TEXT", 0, 0.20},
                    {"heads", "heads=4 method=magnitude", 0.98 * 0.442, 1.02 * 0.442},
                    {"heads", "heads=4 mode=kv-groups method=activation TEXT", 0.98 * 0.317, 1.02 * 0.317},
                    {"budget", "params=734336 TEXT", 0, 0.90 * 0.0448},
                    {"budget", "params=599168 TEXT", 0, 0.90 * 0.237},
                    {"budget", "params=464000 TEXT", 0, 0.78 * 1.226}});
}

TEST(Limits, Stories260K) {
  REQUIRE_TEXTS;
  auto p = openProtocol(kShared + "/stories260K", {kShared + "/text/stories.txt"});
  ASSERT_TRUE(p);
  expectLimits(*p, {{"ffn", "width=128 method=obs TEXT", 0, 0.39},
                    {"ffn", "width=86 method=obs TEXT", 0, 1.15},
                    {"ffn", "width=43 method=obs TEXT", 0, 2.50},
                    {"ffn", "width=86 method=magnitude", 0.98 * 3.067, 1.02 * 3.067},
                    {"ffn", "width=86 method=activation TEXT", 0.98 * 2.414, 1.02 * 2.414},
                    {"ffn", "width=86 method=wanda-sp TEXT", 0.98 * 1.816, 1.02 * 1.816},
                    {"ffn", "width=86 method=flap TEXT", 0.98 * 1.750, 1.02 * 1.750},
                    {"heads", "heads=4 method=obs TEXT", 0, 0.16},
                    {"heads", "heads=4 mode=kv-groups method=obs TEXT", 0, 0.39},
                    {"budget", "params=218752 TEXT", 0, 0.90 * 0.348},
                    {"budget", "params=177472 TEXT", 0, 0.90 * 1.027},
                    {"budget", "params=136192 TEXT", 0, 0.78 * 2.232}});
}

TEST(Limits, TalesMoe) {
  REQUIRE_TEXTS;
  const std::string text = kShared + "/text/";
  auto p = openProtocol(kModels + "/tales-moe",
                        {text + "stories.txt", text + "scripture.txt", text + "news.txt", text + "code.txt"});
  ASSERT_TRUE(p);
  expectLimits(*p, {{"ffn", "width=96 method=obs TEXT", 0, 0.112},
                    {"ffn", "width=64 method=obs TEXT", 0, 0.43},
                    {"experts", "experts=6 method=reap TEXT", 0, 0.36},
                    {"experts", "experts=4 method=reap TEXT", 0, 1.12}});
}

} // namespace
