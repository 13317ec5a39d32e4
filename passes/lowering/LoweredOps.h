// Which ops of a model the lowering has kernels for.
#pragma once
#include "llvm/ADT/StringRef.h"

namespace xfmr {

/// True where an op on activations becomes a dispatch or a part of one. Others are refused, by name, before anything is made.
bool hasLowering(llvm::StringRef opName);

} // namespace xfmr
