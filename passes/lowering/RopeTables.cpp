// The table of cos and sin.
#include "passes/lowering/RopeTables.h"

#include "passes/codegen/Kernel.h"
#include <cmath>

using namespace xfmr;

void xfmr::fillRopeTable(const RopeFrequencies &rope, int64_t begin, int64_t end, float *out) {
  size_t half = rope.frequencies.size(), stride = codegen::paddedWidth(static_cast<uint32_t>(2 * half));
  for (int64_t position = begin; position < end; ++position, out += stride) {
    const double factor = rope.factorAt(position);
    for (size_t i = 0; i < half; ++i) {
      double angle = static_cast<double>(position) * rope.frequencies[i];
      out[i] = static_cast<float>(std::cos(angle) * factor);
      out[half + i] = static_cast<float>(std::sin(angle) * factor);
    }
    std::fill(out + 2 * half, out + stride, 0.0f);
  }
}
