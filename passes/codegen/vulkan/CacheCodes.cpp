// See CacheCodes.h; cacheScales in Kernel.h says where scales lie.
#include "passes/codegen/vulkan/CacheCodes.h"

namespace xfmr::codegen {

Value CacheCodes::scaleAt(Value kvHead, Value position) const {
  return numKvHeads * maxContext * rowQuads + kvHead * (((maxContext + 15) >> 4) << 4) + position;
}

Value CacheCodes::scaled(const Buffer &cache, Value kvHead, Value position, Value v) const {
  return present() ? v * asFloat(cache[scaleAt(kvHead, position)]) : v;
}

Value unpackCodes(Value word) {
  KernelBuilder &k = *word.builder;
  Values codes;
  for (uint32_t c = 0; c < 4; ++c) {
    Value top = c == 3 ? word : word << (24 - 8 * c); // the code in the upper byte, its sign in place
    Value code = detail::binaryInt<mlir::arith::ShRSIOp>(top, constantLike(top, 24));
    codes.push_back(detail::wrap(code, mlir::arith::SIToFPOp::create(k.ops(), k.ops().getF32Type(), code.value)));
  }
  return k.vector4(codes[0], codes[1], codes[2], codes[3]);
}

Value packCodes(Value codes) {
  Value word = toInt(codes[0]) & 255;
  for (unsigned c = 1; c < 4; ++c)
    word = word | ((toInt(codes[c]) & 255) << (8 * c));
  return word;
}

Value roundEven(Value a) {
  return detail::unary<mlir::math::RoundEvenOp>(a);
}

} // namespace xfmr::codegen
