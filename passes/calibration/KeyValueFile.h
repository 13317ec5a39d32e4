// A key and the value it is to have, as a safetensors file gives them to an edit.
#pragma once

#include "passes/calibration/Matrix.h"
#include "runtime/artifact/Status.h"

#include <string>

namespace xfmr {

/// Reads tensors "key" [inputs] and "value" [outputs], in f32 or f64; others are ignored. Errors:
/// no such file or tensor, another shape or type, a value that is not finite.
Status readKeyValue(const std::string &path, int64_t inputs, int64_t outputs, VectorD &key,
                    VectorD &value);

} // namespace xfmr
