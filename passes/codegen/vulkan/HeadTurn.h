// A head of a query or key in workgroup memory, as a projection left it, on its way through an rms norm and a rotary
// embedding: what rope_cache and attention_decode have in common. Tables are laid out as RopeCache.h says.
#pragma once
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

struct HeadTurn {
  KernelBuilder &k;
  RopeStyle style;
  bool unitOffset; // the norm multiplies by 1 + w
  Buffer head;     // floats
  Value base;      // where in `head` it begins

  // Column e behind the norm whose weight the binding `norm` is; without one empty, and no factor.
  Value normed(Value e, llvm::StringRef norm, Value factor) const;
  // Column e behind norm and rotation, of a style other than None.
  Value rotated(Value e, llvm::StringRef norm, Value factor, Value position, Value rotaryDim) const;
};

} // namespace xfmr::codegen
