// See PassOutput.h.
#include "tools/model/PassOutput.h"
#include "weights/SourcePlaces.h"

namespace xfmr {

PassOutput::PassOutput(mlir::MLIRContext &context, bool wanted) {
  if (!wanted)
    return;
  folder_.emplace();
  if (folder_->exists())
    attachSourcePlaces(&context).output = folder_->path();
}

} // namespace xfmr
