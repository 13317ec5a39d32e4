// xfmr-lsp-server: an editor's language server for xfmr IR (hover with the op's page, definitions, symbols, completion, diagnostics as
// one types). MLIR's server runs in a process of its own; this one writes its answers, with pages added.
#include "dialect/Xfmr.h"
#include "tools/LlvmArguments.h"
#include "tools/UsageStatus.h"
#include "tools/xfmr-lsp-server/HoverPages.h"

#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include <sys/wait.h>
#include <unistd.h>

static int serve(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<xfmr::XfmrDialect>();
  xfmr::UsageStatus wrongUsage; // nothing but the option parser calls exit
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}

int main(int argc, char **argv) {
  xfmr::hideOtherOptions();
  constexpr xfmr::LaterOption own[] = {
      {"input-style", "standard|delimited"}, {"lit-test", ""}, {"log", "error|info|verbose"}, {"pretty", ""}};
  if (std::optional<int> status = xfmr::checkArguments(argc, argv, {"xfmr-lsp-server", 0, own}))
    return *status;
  int ends[2];
  if (pipe(ends) != 0)
    return serve(argc, argv);
  const pid_t server = fork();
  if (server == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    return serve(argc, argv);
  }
  close(ends[1]);
  xfmr::lsp::copyMessages(ends[0], STDOUT_FILENO);
  int status = 0;
  return server > 0 && waitpid(server, &status, 0) == server && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
