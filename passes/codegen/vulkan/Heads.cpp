// Vectors of a head from whole vectors or from single floats; see Heads.h.
#include "passes/codegen/vulkan/Heads.h"

namespace xfmr::codegen {

Value HeadRows::load(Value start, Value quad) const {
  if (!singleFloats)
    return buffer[start + quad];
  KernelBuilder &k = *start.builder;
  Value column = quad * 4, lanes[4];
  for (uint32_t i = 0; i < 4; ++i) {
    Value at = column + i;
    lanes[i] = buffer[start + (headDim % 4 ? min(at, k.u32(headDim - 1)) : at)];
  }
  return k.vector4(lanes[0], lanes[1], lanes[2], lanes[3]);
}

void HeadRows::store(Value start, Value quad, Value vector) const {
  if (!singleFloats)
    return buffer.store(start + quad, vector);
  Value column = quad * 4;
  for (uint32_t i = 0; i < 4; ++i) {
    Value at = column + i;
    auto store = [&] { buffer.store(start + at, vector[i]); };
    if (i < headDim % 4 || headDim % 4 == 0) // the first lanes of every vector lie in the head
      store();
    else
      start.builder->when(at < headDim, store);
  }
}

void HeadRows::zeroPad(Value condition, Value first, Value width) const {
  KernelBuilder &k = *first.builder;
  k.when(condition & (width % 8 != 0), [&] {
    if (!singleFloats) // heads of a multiple of 4: half a pad
      return buffer.store((first + width) / 4, k.zero4());
    k.loop(width, ((width + 7) >> 3) << 3, k.u32(1),
           [&](Value column) { buffer.store(first + column, k.f32(0)); });
  });
}

} // namespace xfmr::codegen
