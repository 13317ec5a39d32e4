// Weights in panels of 16 rows (Program.fbs, Layout): how the CPU's kernels read them, and how an engine that wants plain
// rows takes them apart.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <cstdint>

namespace xfmr::artifact {

constexpr uint64_t bytesOf(program::Element element) { return element == program::Element::f32 ? 4 : 2; }

/// Rows of a weight over all its groups, without the padding of its panels.
inline uint64_t plainRows(const program::Buffer &weight) { return weight.groups() * weight.rows(); }
inline uint64_t rowBytes(const program::Buffer &weight) { return weight.columns() * bytesOf(weight.element()); }

/// Writes rows first … first + count - 1 of plainRows(weight), rowBytes(weight) each, to `out`. `panels` is the tensor
/// of the weight, which has passed checkProgram.
void copyRowsOfPanels(const program::Buffer &weight, const uint8_t *panels, uint64_t first, uint64_t count,
                      uint8_t *out);

} // namespace xfmr::artifact
