// The sources a model names: relative to its file, replaced by options, and what is wrong with options.
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"
#include "TemporaryFolder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace xfmr;

namespace {

class ModelSourcesTest : public testing::Test {
protected:
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    module = parseSourceString<ModuleOp>(R"(
      xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
          config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16>
          sources {base = "a.safetensors", extra = "b.safetensors"} {
        %t = xfmr.weight "t" from "extra" : tensor<8x4xf32>
        %x = xfmr.embedding %tokens, %t : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
        %y = xfmr.linear %x, %t : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
        xfmr.yield %y : tensor<?x8xf32>
      })",
                                         &context);
    ASSERT_TRUE(module);
    for (const char *name : {"a", "b", "c"})
      writeTensors(folder.file(std::string(name) + ".safetensors"),
                   {{name, DType::f32, {1}, {1.0f}}});
  }
  std::string open(const std::vector<std::string> &options) {
    sources = WeightSources();
    attachSourcePlaces(&context) = SourcePlaces{folder.path, {}, {}};
    Status status = replaceSources(*module, options);
    if (status.ok())
      status = openSources(*module->getOps<ModelOp>().begin(), sources);
    return status.message();
  }

  MLIRContext context;
  TemporaryFolder folder;
  OwningOpRef<ModuleOp> module;
  WeightSources sources;
};

TEST_F(ModelSourcesTest, OpensRelativeToTheFile) {
  ASSERT_EQ(open({}), "");
  EXPECT_NE(sources.source("base")->find("a"), nullptr);
  EXPECT_NE(sources.source("extra")->find("b"), nullptr);
}

TEST_F(ModelSourcesTest, OptionsReplacePaths) {
  ASSERT_EQ(open({"extra=" + folder.file("c.safetensors")}), "");
  EXPECT_NE(sources.source("base")->find("a"), nullptr);
  EXPECT_NE(sources.source("extra")->find("c"), nullptr);
  // A source that is replaced need not exist where the model says.
  std::filesystem::remove(folder.file("b.safetensors"));
  EXPECT_EQ(open({"extra=" + folder.file("c.safetensors")}), "");
}

TEST_F(ModelSourcesTest, RefusesWrongOptions) {
  EXPECT_EQ(open({"other=x"}),
            "source \"other\" of option \"other=x\" is not one of the model's: base, extra");
  EXPECT_EQ(checkReplacedSources(*parseSourceString<ModuleOp>("module {}", &context), {{"other", "x"}}).message(),
            "source \"other\" of option \"other=x\" is not one of the model's: it has none");
  EXPECT_EQ(open({"base=x", "base=y"}), "source \"base\" is given twice");
  EXPECT_EQ(open({"base"}), "invalid source \"base\", expected NAME=PATH");
  EXPECT_EQ(open({"base=" + folder.file("none.safetensors")}),
            "weight source \"base\": cannot open \"" + folder.file("none.safetensors") +
                "\": No such file or directory");
}

// A model that names no source has "base" all the same: `--source base=PATH` gives it one.
TEST_F(ModelSourcesTest, GivesABaseToAModelWithout) {
  ModelOp model = *module->getOps<ModelOp>().begin();
  model.setSourcesAttr(DictionaryAttr::get(&context));
  ASSERT_EQ(open({}), "");
  EXPECT_EQ(sources.source("base"), nullptr);
  ASSERT_EQ(open({"base=" + folder.file("c.safetensors")}), "");
  EXPECT_NE(sources.source("base")->find("c"), nullptr);
  EXPECT_EQ(basePath(model.getSources(), &context), folder.file("c.safetensors"));
  EXPECT_EQ(open({"other=x"}), "source \"other\" of option \"other=x\" is not one of the model's: base");
}

TEST(Diagnostics, BecomeOneStatusWithPlaces) {
  MLIRContext context;
  context.printOpOnDiagnostic(false);
  CollectedErrors errors(&context);
  EXPECT_EQ(errors.status("nothing was said").message(), "nothing was said");
  Builder builder(&context);
  Location named = NameLoc::get(builder.getStringAttr("model.layers.3.self_attn"));
  Location file = FileLineColLoc::get(&context, "a.mlir", 4, 7);
  {
    InFlightDiagnostic error = emitError(FusedLoc::get(&context, {UnknownLoc::get(&context), named})) << "first";
    error.attachNote(file) << "beside this";
  }
  emitError(UnknownLoc::get(&context)) << "second";
  EXPECT_EQ(errors.status("nothing was said").message(),
            "model.layers.3.self_attn: first\nnote: a.mlir:4:7: beside this\nerror: second");
  EXPECT_EQ(errors.status().message(), errors.status("nothing was said").message());
}

} // namespace
