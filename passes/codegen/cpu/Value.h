// Values of CPU kernels: f32, i32 or index (all unsigned), a condition, or vectors of them of any length, with the arithmetic of
// passes/codegen/builder. Positions in buffers and loop counters are index; words read from buffers are i32 (toIndex, toWord
// between the two). fma is rounded once where the level has such an instruction (LevelFacts::fma).
#pragma once
#include "passes/codegen/builder/Arithmetic.h"
#include "llvm/ADT/SmallVector.h"

namespace xfmr::codegen::cpu {

class KernelBuilder;
using Value = BasicValue<KernelBuilder>;
using Values = llvm::SmallVector<Value, 8>;

// Over the lanes of a vector, halves first: lane i with lane i + n / 2, and so on. The same at every level.
Value sum(Value vector);
Value largest(Value vector);
Value rsqrt(Value a); // 1 / sqrt(a), not an approximation
Value exp(Value a);
Value log(Value a);
Value sin(Value a);
Value cos(Value a);
Value tanh(Value a);
Value erf(Value a);
Value toIndex(Value word); // u32 -> index
Value toWord(Value index); // index -> u32, the low 32 bits
// Lanes of the concatenation of two vectors.
Value permute(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
Value concat(Value a, Value b);
Value splat(Value scalar, unsigned lanes);

// Pairs of bf16 in words, the first of a pair in the low half. Only on levels with LevelFacts::bfloatDots.
Value bfloatPairs(Value floats);                  // 2n floats, rounded to nearest even -> n words
Value bfloatDot(Value a, Value b, Value sum);     // 16 lanes: sum + a.high * b.high + a.low * b.low, in the order of vdpbf16ps

Value halves(Value words);     // n words -> 2n numbers of f16, the low half of a word first
Value fromSigned(Value words); // i32 -> f32
Value lowBytes(Value words);   // 4n words -> n of their low bytes, the first lowest
// 16 lanes: sum + the products of four bytes of `a` and four signed ones of `b`; those of `a` are unsigned on levels with
// ByteDots::Fours, signed on levels with ByteDots::SignedFours.
Value byteDot(Value sum, Value a, Value b);

} // namespace xfmr::codegen::cpu
