// See Diagnostics.h.
#include "tools/model/Diagnostics.h"
#include "weights/Diagnostics.h"
#include "weights/Summary.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace xfmr {

static const char *kindOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  return "error";
}

void printDiagnostics(MLIRContext &context, const std::string &tool, bool remarks) {
  context.printOpOnDiagnostic(false); // it may be a whole model
  printSummaries(&context, tool);
  context.getDiagEngine().registerHandler([tool, remarks](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Remark && !remarks)
      return success();
    llvm::errs() << tool << ": " << kindOf(diagnostic.getSeverity()) << ": " << diagnosticText(diagnostic) << "\n";
    for (const Diagnostic &note : diagnostic.getNotes())
      llvm::errs() << tool << ": note: " << diagnosticText(note) << "\n";
    return success();
  });
}

} // namespace xfmr
