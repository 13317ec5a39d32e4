// Walking over the fields of specs and params. A struct names each of its fields once, in order, in
//   template <class Self, class F> static void fields(Self &self, F &&f) { f("n", self.n); ... }
// and a field may be a struct of that kind again. Comparison and hashing come from it here, the syntax of
// attributes in dialect/kernels/Syntax.h.
#pragma once
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace xfmr::codegen {

// `Words<E>::all` holds the word of each enumerator of E, in order.
template <class E> struct Words;

struct IgnoreFields {
  template <class T> void operator()(const char *, T &) const {}
};
template <class T, class = void> struct HasFields : std::false_type {};
template <class T>
struct HasFields<T, std::void_t<decltype(T::fields(std::declval<T &>(), IgnoreFields()))>>
    : std::true_type {};

// The bits of a float as a push word.
inline uint32_t floatBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Every field as a number, in order; floats as their bits.
class FieldNumbers {
public:
  template <class T> void operator()(const char *, const T &value) {
    if constexpr (HasFields<T>::value)
      T::fields(value, *this);
    else if constexpr (std::is_same_v<T, float>)
      numbers.push_back(floatBits(value));
    else
      numbers.push_back(static_cast<uint32_t>(value));
  }
  llvm::SmallVector<uint32_t, 16> numbers;
};

template <class S> llvm::SmallVector<uint32_t, 16> numbersOf(const S &value) {
  FieldNumbers visitor;
  S::fields(value, visitor);
  return std::move(visitor.numbers);
}

template <class S> std::enable_if_t<HasFields<S>::value, bool> operator==(const S &a, const S &b) {
  return numbersOf(a) == numbersOf(b);
}
template <class S> std::enable_if_t<HasFields<S>::value, bool> operator!=(const S &a, const S &b) {
  return !(a == b);
}
template <class S>
std::enable_if_t<HasFields<S>::value, llvm::hash_code> hash_value(const S &value) {
  auto numbers = numbersOf(value);
  return llvm::hash_combine_range(numbers.begin(), numbers.end());
}

} // namespace xfmr::codegen
