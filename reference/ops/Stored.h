// xfmr.weight and xfmr.weight_cast: from stored bytes to doubles, and rounding to an element type.
#pragma once
#include "runtime/artifact/Safetensors.h"
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// IEEE half and bfloat16 by their definition; exact.
double fromF16(uint16_t bits);
double fromBF16(uint16_t bits);

/// The nearest value with `fractionBits` explicit fraction bits (23, 10, 7), exponents from
/// `leastExponent` (-126, -14, -126) and largest finite value `largest`, ties to even; beyond it an
/// infinity.
double roundToFloat(double value, int fractionBits, int leastExponent, double largest);

/// Rounds to f32, f16 or bf16.
double roundTo(mlir::Type elementType, double value);
void roundTo(mlir::Type elementType, Tensor &tensor);

/// All elements of a stored tensor. Errors: a dtype that is no weight's, a value that is not finite.
Status readStored(const TensorView &view, Tensor &out);

/// The named tensor; its shape and element type must be those of the op.
Status evaluate(WeightOp op, Evaluation &evaluation);
/// Rounded to nearest even.
Status evaluate(WeightCastOp op, Evaluation &evaluation);

} // namespace xfmr::reference
