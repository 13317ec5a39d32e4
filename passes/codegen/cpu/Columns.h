// Walking along a row in vectors of 16, at every level: whole vectors, then the rest of the row in one that is partly
// valid. Sums along a row always add in the same order, so that kernels which norm a row agree on its bits.
#pragma once
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

constexpr unsigned kLanes = 16;

// body(column, valid) for columns 0, 16, … below `width`; `valid` is 16 but for the last. Or of other lanes than 16.
void overColumns(KernelBuilder &k, uint64_t width,
                 llvm::function_ref<void(Value column, unsigned valid)> body,
                 unsigned lanes = kLanes);

// Folds vectors of 16 along the row: soFar = combine(soFar, column, valid), starting with 16 times `start`.
Value alongColumns(KernelBuilder &k, uint64_t width, Value start,
                   llvm::function_ref<Value(Value soFar, Value column, unsigned valid)> combine);

// A vector of 16 with zeros from lane `valid` on.
Value keepFirst(KernelBuilder &k, Value vector, unsigned valid);

// rsqrt(mean of squares + eps) of `width` elements of `x` from `at`.
Value rmsFactor(KernelBuilder &k, Buffer x, Value at, uint64_t width, float eps);
// x * factor * g, or * (1 + g).
Value rmsScaled(Value x, Value factor, Value g, bool unitOffset);

// Rows first … last-1 of a tile, none beyond the count of this run.
void overRows(KernelBuilder &k, Value tile, uint64_t rowsEach,
              llvm::function_ref<void(Value row)> body);

} // namespace xfmr::codegen::cpu
