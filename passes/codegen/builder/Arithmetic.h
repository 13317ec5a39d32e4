// Arithmetic of kernels, the same for every target: an SSA value, and operators and functions on it that each emit one
// operation of arith, math or vector after giving both sides one shape. A target's KernelBuilder says where (`ops()`);
// what only one target has lies beside that builder.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/STLExtras.h"
#include <type_traits>

namespace xfmr::codegen {

// A float, an integer or an index (both unsigned), a condition, or a vector of them, and the builder that operators on it
// emit with. A vector and a scalar combine lane by lane; a C++ number takes the type of the other side.
template <class Builder> class BasicValue {
public:
  BasicValue() = default;
  BasicValue(Builder *builder, mlir::Value value) : builder(builder), value(value) {}

  BasicValue operator[](unsigned lane) const { // element of a vector
    return {builder, mlir::vector::ExtractOp::create(builder->ops(), value, static_cast<int64_t>(lane))};
  }
  BasicValue operator[](BasicValue lane) const { // the same, `lane` an index below its length
    return {builder, mlir::vector::ExtractOp::create(builder->ops(), value, mlir::OpFoldResult(lane.value))};
  }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(value.getType())); }
  unsigned lanes() const { // 1 for a scalar
    auto vector = mlir::dyn_cast<mlir::VectorType>(value.getType());
    return vector ? static_cast<unsigned>(vector.getNumElements()) : 1;
  }
  explicit operator bool() const { return static_cast<bool>(value); }

  Builder *builder = nullptr;
  mlir::Value value;
};

namespace detail {

template <class B> BasicValue<B> wrap(BasicValue<B> like, mlir::Value value) { return {like.builder, value}; }
template <class B> mlir::ImplicitLocOpBuilder &ops(BasicValue<B> value) { return value.builder->ops(); }

template <class B> BasicValue<B> broadcast(BasicValue<B> scalar, BasicValue<B> like) {
  if (like.lanes() == 1 || scalar.lanes() > 1)
    return scalar;
  auto type = mlir::VectorType::get({static_cast<int64_t>(like.lanes())}, scalar.value.getType());
  return wrap(scalar, mlir::vector::BroadcastOp::create(ops(scalar), type, scalar.value));
}

template <typename FloatOp, typename IntOp, class B> BasicValue<B> binary(BasicValue<B> a, BasicValue<B> b) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  if (a.isFloat())
    return wrap(a, FloatOp::create(ops(a), a.value, b.value));
  return wrap(a, IntOp::create(ops(a), a.value, b.value));
}

template <typename Op, class B> BasicValue<B> binaryInt(BasicValue<B> a, BasicValue<B> b) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  return wrap(a, Op::create(ops(a), a.value, b.value));
}

template <typename Op, class B> BasicValue<B> unary(BasicValue<B> a) { return wrap(a, Op::create(ops(a), a.value)); }

template <class B>
BasicValue<B> compare(BasicValue<B> a, BasicValue<B> b, mlir::arith::CmpFPredicate floats,
                      mlir::arith::CmpIPredicate ints) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  if (a.isFloat())
    return wrap(a, mlir::arith::CmpFOp::create(ops(a), floats, a.value, b.value));
  return wrap(a, mlir::arith::CmpIOp::create(ops(a), ints, a.value, b.value));
}

// The type of `value` with another element type.
template <class B> mlir::Type withElement(BasicValue<B> value, mlir::Type element) {
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(value.value.getType()))
    return mlir::VectorType::get(vector.getShape(), element);
  return element;
}

template <class B> bool isIndex(BasicValue<B> value) {
  return mlir::isa<mlir::IndexType>(mlir::getElementTypeOrSelf(value.value.getType()));
}

template <typename T> constexpr bool isNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

} // namespace detail

// The constant `number` with the type of `like`. Integers keep their low bits, so masks read as hex.
template <class B, typename T, typename = std::enable_if_t<detail::isNumber<T>>>
BasicValue<B> constantLike(BasicValue<B> like, T number) {
  mlir::Type element = mlir::getElementTypeOrSelf(like.value.getType());
  mlir::Builder &b = detail::ops(like);
  mlir::TypedAttr attr;
  if (like.isFloat()) {
    attr = b.getF32FloatAttr(static_cast<float>(static_cast<double>(number)));
  } else {
    const unsigned bits = detail::isIndex(like) ? 64 : element.getIntOrFloatBitWidth();
    attr = b.getIntegerAttr(element, llvm::APInt(bits, static_cast<uint64_t>(static_cast<int64_t>(number)),
                                                 /*isSigned=*/false, /*implicitTrunc=*/true));
  }
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(like.value.getType()))
    attr = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attr));
  return detail::wrap(like, mlir::arith::ConstantOp::create(detail::ops(like), attr));
}

#define XFMR_OPERATOR(op, emitted)                                                                                     \
  template <class B> BasicValue<B> operator op(BasicValue<B> a, BasicValue<B> b) { return emitted; }                   \
  template <class B, typename T, typename = std::enable_if_t<detail::isNumber<T>>>                                     \
  BasicValue<B> operator op(BasicValue<B> a, T b) {                                                                    \
    return a op constantLike(a, b);                                                                                    \
  }                                                                                                                    \
  template <class B, typename T, typename = std::enable_if_t<detail::isNumber<T>>>                                     \
  BasicValue<B> operator op(T a, BasicValue<B> b) {                                                                    \
    return constantLike(b, a) op b;                                                                                    \
  }
#define XFMR_ARITHMETIC(op, Name, IntName)                                                                             \
  XFMR_OPERATOR(op, (detail::binary<mlir::arith::Name##FOp, mlir::arith::IntName##Op>(a, b)))
#define XFMR_INTEGER(op, Name) XFMR_OPERATOR(op, detail::binaryInt<mlir::arith::Name##Op>(a, b))
#define XFMR_COMPARISON(op, floats, ints)                                                                              \
  XFMR_OPERATOR(op, detail::compare(a, b, mlir::arith::CmpFPredicate::floats, mlir::arith::CmpIPredicate::ints))
XFMR_ARITHMETIC(+, Add, AddI)
XFMR_ARITHMETIC(-, Sub, SubI)
XFMR_ARITHMETIC(*, Mul, MulI)
XFMR_ARITHMETIC(/, Div, DivUI)
XFMR_INTEGER(%, RemUI)
XFMR_INTEGER(&, AndI) // of conditions too, as | and ^
XFMR_INTEGER(|, OrI)
XFMR_INTEGER(^, XOrI)
XFMR_INTEGER(<<, ShLI)
XFMR_INTEGER(>>, ShRUI) // logical
// Ordered; != also holds where one side is not a number. The result is a condition.
XFMR_COMPARISON(<, OLT, ult)
XFMR_COMPARISON(<=, OLE, ule)
XFMR_COMPARISON(>, OGT, ugt)
XFMR_COMPARISON(>=, OGE, uge)
XFMR_COMPARISON(==, OEQ, eq)
XFMR_COMPARISON(!=, UNE, ne)
#undef XFMR_COMPARISON
#undef XFMR_INTEGER
#undef XFMR_ARITHMETIC
#undef XFMR_OPERATOR

template <class B> BasicValue<B> operator-(BasicValue<B> a) { return detail::unary<mlir::arith::NegFOp>(a); }
template <class B> BasicValue<B> operator!(BasicValue<B> condition) { return condition ^ constantLike(condition, 1); }

// Floats: the number if the other is NaN; integers unsigned.
template <class B> BasicValue<B> min(BasicValue<B> a, BasicValue<B> b) {
  return detail::binary<mlir::arith::MinNumFOp, mlir::arith::MinUIOp>(a, b);
}
template <class B> BasicValue<B> max(BasicValue<B> a, BasicValue<B> b) {
  return detail::binary<mlir::arith::MaxNumFOp, mlir::arith::MaxUIOp>(a, b);
}

// a * b + c
template <class B> BasicValue<B> fma(BasicValue<B> a, BasicValue<B> b, BasicValue<B> c) {
  for (BasicValue<B> like : {b, c})
    a = detail::broadcast(a, like);
  b = detail::broadcast(b, a);
  c = detail::broadcast(c, a);
  if (a.lanes() > 1)
    return detail::wrap(a, mlir::vector::FMAOp::create(detail::ops(a), a.value, b.value, c.value));
  return detail::wrap(a, mlir::math::FmaOp::create(detail::ops(a), a.value, b.value, c.value));
}

// Both sides are evaluated.
template <class B> BasicValue<B> select(BasicValue<B> condition, BasicValue<B> yes, BasicValue<B> no) {
  for (BasicValue<B> like : {no, condition})
    yes = detail::broadcast(yes, like);
  no = detail::broadcast(no, yes);
  return detail::wrap(yes, mlir::arith::SelectOp::create(detail::ops(yes), condition.value, yes.value, no.value));
}

template <class B> BasicValue<B> sqrt(BasicValue<B> a) { return detail::unary<mlir::math::SqrtOp>(a); }
template <class B> BasicValue<B> floor(BasicValue<B> a) { return detail::unary<mlir::math::FloorOp>(a); }
template <class B> BasicValue<B> abs(BasicValue<B> a) { return detail::unary<mlir::math::AbsFOp>(a); }

// u32 or index -> f32
template <class B> BasicValue<B> toFloat(BasicValue<B> a) {
  mlir::ImplicitLocOpBuilder &b = detail::ops(a);
  if (detail::isIndex(a))
    a = detail::wrap(a, mlir::arith::IndexCastUIOp::create(b, detail::withElement(a, b.getI64Type()), a.value));
  return detail::wrap(a, mlir::arith::UIToFPOp::create(b, detail::withElement(a, b.getF32Type()), a.value));
}
// f32 -> i32, towards zero
template <class B> BasicValue<B> toInt(BasicValue<B> a) {
  mlir::ImplicitLocOpBuilder &b = detail::ops(a);
  return detail::wrap(a, mlir::arith::FPToSIOp::create(b, detail::withElement(a, b.getI32Type()), a.value));
}
// Reinterpreted.
template <class B> BasicValue<B> asFloat(BasicValue<B> bits) {
  mlir::ImplicitLocOpBuilder &b = detail::ops(bits);
  return detail::wrap(bits, mlir::arith::BitcastOp::create(b, detail::withElement(bits, b.getF32Type()), bits.value));
}
template <class B> BasicValue<B> asInt(BasicValue<B> number) {
  mlir::ImplicitLocOpBuilder &b = detail::ops(number);
  return detail::wrap(number, mlir::arith::BitcastOp::create(b, detail::withElement(number, b.getI32Type()), number.value));
}

// As MLIR's builders take them.
template <class Values> llvm::SmallVector<mlir::Value> raw(const Values &values) {
  return llvm::map_to_vector(values, [](const auto &v) { return v.value; });
}

// Loads the dialects that `registerDialects` names; a kernel's operations have no place in a source.
inline mlir::Location loadDialects(mlir::MLIRContext &context, void (*registerDialects)(mlir::DialectRegistry &)) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  for (llvm::StringRef name : registry.getDialectNames())
    context.getOrLoadDialect(name);
  return mlir::UnknownLoc::get(&context);
}

} // namespace xfmr::codegen
