// Products of bytes where an instruction multiplies and adds pairs of them, saturating, to 16 bits (ByteDots::Pairs): AVX2, and
// AVX-512 without VNNI. Vectors are 16 words of four bytes, or the 32 lanes of 16 bits that their pairs become, in registers of
// `vectorBits`.
#pragma once
#include "passes/codegen/cpu/Value.h"

namespace xfmr::codegen::cpu {

// 32 lanes: the products of two unsigned bytes of `a` and two signed ones of `b`, added. They must stay within 16 bits.
Value bytePairs(Value a, Value b, unsigned vectorBits);
// 16 words: pairs of such lanes added, times `factor`.
Value addPairs(Value pairs, int16_t factor, unsigned vectorBits);

// Registers of 256 bits alone: magnitudes of signed bytes, 128 of -128; and bytes of `a` with the sign of those of `b` put to
// them, 0 where that is 0. a * b is magnitude(b) * withSign(a, b) for any b and any a but -128.
Value magnitudes(Value b);
Value withSigns(Value a, Value b);

} // namespace xfmr::codegen::cpu
