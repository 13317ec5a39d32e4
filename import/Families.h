// The importers, one a `model_type`. Each reads its configuration, returns early if that failed, and
// builds the model between beginModel() and the value it returns (the logits).
#pragma once
#include "import/Decoder.h"

namespace xfmr {

mlir::Value importLlama(ImportContext &context);

} // namespace xfmr
