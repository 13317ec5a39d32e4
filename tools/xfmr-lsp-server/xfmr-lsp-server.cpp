// xfmr-lsp-server: an editor's language server for xfmr IR (hover, definitions, diagnostics as one types).
#include "dialect/Xfmr.h"
#include "tools/UsageStatus.h"

#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<xfmr::XfmrDialect>();
  xfmr::UsageStatus wrongUsage; // nothing but the option parser calls exit
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
