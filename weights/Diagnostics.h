// From MLIR's diagnostics to Status: what passes and the parser say becomes the text of one error, with the place that
// each is about. Warnings and remarks go on to the handler outside.
#pragma once
#include "runtime/artifact/Status.h"
#include "mlir/IR/Diagnostics.h"

namespace xfmr {

/// The module of a checkpoint ("model.layers.3.self_attn") or "FILE:LINE:COLUMN"; empty for an unknown place.
std::string locationText(mlir::Location location);

/// "PLACE: text", or the text alone where the place is unknown.
std::string diagnosticText(const mlir::Diagnostic &diagnostic);

/// Collects the errors of a context while it lives.
class CollectedErrors {
public:
  explicit CollectedErrors(mlir::MLIRContext *context);
  bool any() const { return !text_.empty(); }
  /// What was said: the first error, then "error: …" and "note: …" a line; `otherwise` if nothing was.
  Status status(const std::string &otherwise) const { return Status::error(any() ? text_ : otherwise); }
  /// The same after a failure that always says something.
  Status status() const { return Status::error(text_); }

private:
  std::string text_;
  mlir::ScopedDiagnosticHandler handler_;
};

} // namespace xfmr
