// What the builder of dispatches refuses: an error with a place, not an abort.
#include "passes/lowering/DispatchBuilder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace xfmr;

TEST(DispatchBuilder, ADispatchWithoutABindingIsAnError) {
  MLIRContext context;
  context.loadDialect<XfmrDialect, memref::MemRefDialect>();
  std::string text;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    text += diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(R"(
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
      xfmr.buffer @state state size 1024
      xfmr.phase decode rows 1 {
        xfmr.yield
      }
    })",
                                                             &context);
  ASSERT_TRUE(module) << text;
  ProgramOp program = *module->getOps<ProgramOp>().begin();
  PhaseOp phase = *program.getBody().getOps<PhaseOp>().begin();
  ProgramTables tables(program, 1 << 27);
  OpBuilder builder = OpBuilder::atBlockBegin(&phase.getBody().front());
  DispatchBuilder build(builder, tables, phase.getKind(), 1);
  EXPECT_FALSE(build.isBroken);
  build.dispatch(codegen::SampleSpec(), codegen::SampleParams{32, 32, 8}, {});
  EXPECT_TRUE(build.isBroken);
  EXPECT_EQ(text, "dispatch of sample lacks binding logits");
  EXPECT_TRUE(phase.getBody().getOps<DispatchOp>().empty());
}
