// An SSA value and the builder that operators on it emit with: f32, i32 or index (all unsigned), a condition, or a
// vector of them. A vector and a scalar combine lane by lane; a C++ number takes the type of the other side. Positions
// in buffers and loop counters are index; words read from buffers are i32 (toIndex, toWord between the two).
#pragma once
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <type_traits>

namespace xfmr::codegen::cpu {

class KernelBuilder;

class Value {
public:
  Value() = default;
  Value(KernelBuilder *builder, mlir::Value value) : builder(builder), value(value) {}

  Value operator[](unsigned lane) const; // element of a vector
  Value operator[](Value lane) const;    // the same, `lane` an index below its length
  bool isFloat() const;                  // f32 or a vector of f32
  unsigned lanes() const;                // 1 for a scalar

  KernelBuilder *builder = nullptr;
  mlir::Value value;
};
using Values = llvm::SmallVector<Value, 8>;

Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b); // integers: unsigned
Value operator%(Value a, Value b); // integers only
Value operator&(Value a, Value b); // integers and conditions
Value operator|(Value a, Value b);
Value operator^(Value a, Value b);
Value operator<<(Value a, Value b);
Value operator>>(Value a, Value b); // logical
Value operator<(Value a, Value b);  // unsigned or ordered float comparison; the result is a condition
Value operator<=(Value a, Value b);
Value operator>(Value a, Value b);
Value operator>=(Value a, Value b);
Value operator==(Value a, Value b);
Value operator!=(Value a, Value b); // floats: also if one is not a number
Value operator-(Value a);
Value operator!(Value condition);

// The constant `number` with the type of `like`.
Value constantLike(Value like, int64_t number);
Value constantLike(Value like, double number);
template <typename T> Value numberLike(Value like, T number) {
  if constexpr (std::is_floating_point_v<T>)
    return constantLike(like, static_cast<double>(number));
  else
    return constantLike(like, static_cast<int64_t>(number));
}
#define XFMR_WITH_NUMBER(op)                                                                       \
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>                      \
  Value operator op(Value a, T b) {                                                                \
    return a op numberLike(a, b);                                                                  \
  }                                                                                                \
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>                      \
  Value operator op(T a, Value b) {                                                                \
    return numberLike(b, a) op b;                                                                  \
  }
XFMR_WITH_NUMBER(+)
XFMR_WITH_NUMBER(-)
XFMR_WITH_NUMBER(*)
XFMR_WITH_NUMBER(/)
XFMR_WITH_NUMBER(%)
XFMR_WITH_NUMBER(&)
XFMR_WITH_NUMBER(|)
XFMR_WITH_NUMBER(^)
XFMR_WITH_NUMBER(<<)
XFMR_WITH_NUMBER(>>)
XFMR_WITH_NUMBER(<)
XFMR_WITH_NUMBER(<=)
XFMR_WITH_NUMBER(>)
XFMR_WITH_NUMBER(>=)
XFMR_WITH_NUMBER(==)
XFMR_WITH_NUMBER(!=)
#undef XFMR_WITH_NUMBER

// floats: the number if the other is NaN; integers unsigned
Value min(Value a, Value b);
Value max(Value a, Value b);
// a * b + c, rounded once where the level has such an instruction (LevelFacts::fma).
Value fma(Value a, Value b, Value c);
Value select(Value condition, Value yes, Value no); // both sides are evaluated
// Over the lanes of a vector, halves first: lane i with lane i + n / 2, and so on. The same at every level.
Value sum(Value vector);
Value largest(Value vector);
Value sqrt(Value a);
Value rsqrt(Value a); // 1 / sqrt(a), not an approximation
Value exp(Value a);
Value log(Value a);
Value sin(Value a);
Value cos(Value a);
Value tanh(Value a);
Value erf(Value a);
Value floor(Value a);
Value abs(Value a);
Value toFloat(Value a);    // u32 or index -> f32
Value toInt(Value a);      // f32 -> i32, towards zero
Value toIndex(Value word); // u32 -> index
Value toWord(Value index); // index -> u32, the low 32 bits
Value asFloat(Value bits); // reinterpret
Value asInt(Value number);
// Lanes of the concatenation of two vectors.
Value permute(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
Value concat(Value a, Value b);
Value splat(Value scalar, unsigned lanes);

} // namespace xfmr::codegen::cpu
