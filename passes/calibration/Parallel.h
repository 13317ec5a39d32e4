// All threads for calibration, such that no result depends on how many there are: work is cut by shapes alone, and every
// piece is computed by one thread, a BLAS that has threads of its own included.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <cstdint>

namespace xfmr {

/// body(0) … body(count - 1), in any order, on the caller's thread and others. Calls inside of a body stay on its thread.
void parallelFor(int64_t count, llvm::function_ref<void(int64_t)> body);

/// Threads to use from here on; 0: as many as cores are allowed to the process. Not while something runs.
void setCalibrationThreads(unsigned threads);

/// body(first, count) for runs of at most `run` of `total` rows.
inline void parallelRows(int64_t total, int64_t run, llvm::function_ref<void(int64_t, int64_t)> body) {
  parallelFor((total + run - 1) / run, [&](int64_t i) { body(i * run, std::min(run, total - i * run)); });
}

/// A part of a matrix.
struct Tile {
  int64_t row, column, rows, columns;
  template <typename Matrix> auto of(Matrix &matrix) const { return matrix.block(row, column, rows, columns); }
};

/// body(tile) for tiles of at most `extent` x `extent` of a matrix [rows, columns]; with `lower` only those that reach the
/// diagonal or lie below it.
void parallelTiles(int64_t rows, int64_t columns, int64_t extent, bool lower, llvm::function_ref<void(const Tile &)> body);

} // namespace xfmr
