// import-each: what xfmr-import makes of many files, in one process, for tests of so many that starting it would be most of the
// time. Reads a path a line; answers with a line of JSON each: {"ok": true, "text": the module, "said": warnings and errors}.
#include "dialect/Xfmr.h"
#include "import/Import.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/JSON.h"
#include <iostream>

int main() {
  for (std::string path; std::getline(std::cin, path);) {
    std::string text, said;
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
      said += diagnostic.str() + "\n";
      return mlir::success();
    });
    xfmr::Status status = xfmr::Status::success();
    mlir::OwningOpRef<mlir::ModuleOp> module = xfmr::importModel(context, path, {}, status);
    if (status.failed()) {
      said += status.message() + "\n";
    } else {
      llvm::raw_string_ostream stream(text);
      module->print(stream);
    }
    llvm::outs() << llvm::json::Value(llvm::json::Object{{"ok", status.ok()}, {"text", text}, {"said", said}}) << "\n";
    llvm::outs().flush();
  }
}
