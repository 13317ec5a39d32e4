// xfmr-reduce: shrinks IR that breaks something to a small case, by a script that says whether it still does.
#include "dialect/Xfmr.h"
#include "passes/Passes.h"
#include "tools/UsageStatus.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  xfmr::registerXfmrPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<xfmr::XfmrDialect>();
  mlir::MLIRContext context(registry);
  xfmr::UsageStatus wrongUsage; // nothing but the option parser calls exit
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
