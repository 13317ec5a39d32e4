// See PassOutput.h.
#include "tools/model/PassOutput.h"
#include "weights/SourcePlaces.h"

namespace xfmr {

PassOutput::PassOutput(mlir::MLIRContext &context, bool wanted) {
  if (!wanted)
    return;
  folder_.emplace();
  use(context);
}

PassOutput::PassOutput(mlir::MLIRContext &context, const std::string &output) {
  folder_.emplace(output);
  use(context);
}

void PassOutput::use(mlir::MLIRContext &context) {
  if (exists())
    attachSourcePlaces(&context).output = folder_->path();
}

} // namespace xfmr
