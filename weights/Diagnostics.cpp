// See Diagnostics.h.
#include "weights/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace xfmr {

std::string locationText(Location location) {
  return llvm::TypeSwitch<LocationAttr, std::string>(location)
      .Case([](NameLoc name) { return name.getName().str(); })
      .Case([](FileLineColLoc file) {
        return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
      })
      .Case([](CallSiteLoc call) { return locationText(call.getCallee()); })
      .Case([](FusedLoc fused) {
        for (Location part : fused.getLocations())
          if (std::string text = locationText(part); !text.empty())
            return text;
        return std::string();
      })
      .Default([](LocationAttr) { return std::string(); });
}

std::string diagnosticText(const Diagnostic &diagnostic) {
  const std::string place = locationText(diagnostic.getLocation());
  return (place.empty() ? "" : place + ": ") + diagnostic.str();
}

CollectedErrors::CollectedErrors(MLIRContext *context) : handler_(context, [this](Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return failure();
  text_ += (text_.empty() ? "" : "\nerror: ") + diagnosticText(diagnostic);
  for (const Diagnostic &note : diagnostic.getNotes())
    text_ += "\nnote: " + diagnosticText(note);
  return success();
}) {}

} // namespace xfmr
