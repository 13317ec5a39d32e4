// xfmr-opt: everything mlir-opt offers, plus the xfmr dialect and its passes.
#include "dialect/Xfmr.h"
#include "passes/Passes.h"
#include "passes/lowering/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  xfmr::registerXfmrPasses();
  xfmr::registerXfmrLoweringPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<xfmr::XfmrDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "xfmr optimizer driver\n", registry));
}
