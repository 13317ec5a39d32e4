// Operators and functions on Value: each emits one operation, after giving both sides one shape.
#include "passes/codegen/cpu/Value.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {
namespace {

namespace arith = mlir::arith;
namespace math = mlir::math;

Value wrap(Value like, mlir::Value value) {
  return Value(like.builder, value);
}
mlir::ImplicitLocOpBuilder &ops(Value value) {
  return value.builder->ops();
}

Value broadcast(Value scalar, Value like) {
  return like.lanes() == 1 || scalar.lanes() > 1 ? scalar : splat(scalar, like.lanes());
}

template <typename FloatOp, typename IntOp> Value binary(Value a, Value b) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  if (a.isFloat())
    return wrap(a, FloatOp::create(ops(a), a.value, b.value));
  return wrap(a, IntOp::create(ops(a), a.value, b.value));
}

template <typename Op> Value binaryInt(Value a, Value b) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  return wrap(a, Op::create(ops(a), a.value, b.value));
}

template <typename Op> Value unary(Value a) {
  return wrap(a, Op::create(ops(a), a.value));
}

Value compare(Value a, Value b, arith::CmpFPredicate floats, arith::CmpIPredicate ints) {
  a = broadcast(a, b);
  b = broadcast(b, a);
  if (a.isFloat())
    return wrap(a, arith::CmpFOp::create(ops(a), floats, a.value, b.value));
  return wrap(a, arith::CmpIOp::create(ops(a), ints, a.value, b.value));
}

// The type of `value` with another element type.
mlir::Type withElement(Value value, mlir::Type element) {
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(value.value.getType()))
    return mlir::VectorType::get(vector.getShape(), element);
  return element;
}

bool isIndex(Value value) {
  return mlir::isa<mlir::IndexType>(mlir::getElementTypeOrSelf(value.value.getType()));
}

Value constant(Value like, mlir::TypedAttr attr) {
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(like.value.getType()))
    attr = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attr));
  return wrap(like, arith::ConstantOp::create(ops(like), attr));
}

template <typename Combine> Value fold(Value vector, Combine combine) {
  for (int64_t half = vector.lanes() / 2; half >= 1; half /= 2) {
    llvm::SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < half; ++i)
      low.push_back(i), high.push_back(half + i);
    vector = combine(permute(vector, vector, low), permute(vector, vector, high));
  }
  return vector[0u];
}

} // namespace

bool Value::isFloat() const {
  return mlir::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(value.getType()));
}

unsigned Value::lanes() const {
  auto vector = mlir::dyn_cast<mlir::VectorType>(value.getType());
  return vector ? static_cast<unsigned>(vector.getNumElements()) : 1;
}

Value Value::operator[](unsigned lane) const {
  return Value(builder,
               mlir::vector::ExtractOp::create(builder->ops(), value, static_cast<int64_t>(lane)));
}

Value Value::operator[](Value lane) const {
  return Value(builder, mlir::vector::ExtractOp::create(builder->ops(), value,
                                                        mlir::OpFoldResult(lane.value)));
}

Value constantLike(Value like, int64_t number) {
  if (like.isFloat())
    return constantLike(like, static_cast<double>(number));
  mlir::Type element = mlir::getElementTypeOrSelf(like.value.getType());
  unsigned bits = isIndex(like) ? 64 : element.getIntOrFloatBitWidth();
  llvm::APInt value(bits, static_cast<uint64_t>(number), /*isSigned=*/false, /*implicitTrunc=*/true);
  return constant(like, ops(like).getIntegerAttr(element, value));
}

Value constantLike(Value like, double number) {
  if (!like.isFloat())
    return constantLike(like, static_cast<int64_t>(number));
  return constant(like, ops(like).getF32FloatAttr(static_cast<float>(number)));
}

Value operator+(Value a, Value b) {
  return binary<arith::AddFOp, arith::AddIOp>(a, b);
}
Value operator-(Value a, Value b) {
  return binary<arith::SubFOp, arith::SubIOp>(a, b);
}
Value operator*(Value a, Value b) {
  return binary<arith::MulFOp, arith::MulIOp>(a, b);
}
Value operator/(Value a, Value b) {
  return binary<arith::DivFOp, arith::DivUIOp>(a, b);
}
Value operator%(Value a, Value b) {
  return binaryInt<arith::RemUIOp>(a, b);
}
Value operator&(Value a, Value b) {
  return binaryInt<arith::AndIOp>(a, b);
}
Value operator|(Value a, Value b) {
  return binaryInt<arith::OrIOp>(a, b);
}
Value operator^(Value a, Value b) {
  return binaryInt<arith::XOrIOp>(a, b);
}
Value operator<<(Value a, Value b) {
  return binaryInt<arith::ShLIOp>(a, b);
}
Value operator>>(Value a, Value b) {
  return binaryInt<arith::ShRUIOp>(a, b);
}

Value operator<(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::OLT, arith::CmpIPredicate::ult);
}
Value operator<=(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::OLE, arith::CmpIPredicate::ule);
}
Value operator>(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::OGT, arith::CmpIPredicate::ugt);
}
Value operator>=(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::OGE, arith::CmpIPredicate::uge);
}
Value operator==(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq);
}
Value operator!=(Value a, Value b) {
  return compare(a, b, arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne);
}
Value operator-(Value a) {
  return unary<arith::NegFOp>(a);
}
Value operator!(Value condition) {
  return condition ^ constantLike(condition, int64_t(1));
}

Value min(Value a, Value b) {
  return binary<arith::MinNumFOp, arith::MinUIOp>(a, b);
}
Value max(Value a, Value b) {
  return binary<arith::MaxNumFOp, arith::MaxUIOp>(a, b);
}

Value fma(Value a, Value b, Value c) {
  for (Value like : {b, c})
    a = broadcast(a, like);
  b = broadcast(b, a);
  c = broadcast(c, a);
  if (a.lanes() > 1)
    return wrap(a, mlir::vector::FMAOp::create(ops(a), a.value, b.value, c.value));
  return wrap(a, math::FmaOp::create(ops(a), a.value, b.value, c.value));
}

Value select(Value condition, Value yes, Value no) {
  for (Value like : {no, condition})
    yes = broadcast(yes, like);
  no = broadcast(no, yes);
  return wrap(yes, arith::SelectOp::create(ops(yes), condition.value, yes.value, no.value));
}

Value sum(Value vector) {
  return fold(vector, [](Value a, Value b) { return a + b; });
}
Value largest(Value vector) {
  return fold(vector, [](Value a, Value b) { return max(a, b); });
}

Value sqrt(Value a) {
  return unary<math::SqrtOp>(a);
}
Value rsqrt(Value a) {
  return 1.0 / sqrt(a);
}
Value exp(Value a) {
  return unary<math::ExpOp>(a);
}
Value log(Value a) {
  return unary<math::LogOp>(a);
}
Value sin(Value a) {
  return unary<math::SinOp>(a);
}
Value cos(Value a) {
  return unary<math::CosOp>(a);
}
Value tanh(Value a) {
  return unary<math::TanhOp>(a);
}
Value erf(Value a) {
  return unary<math::ErfOp>(a);
}
Value floor(Value a) {
  return unary<math::FloorOp>(a);
}
Value abs(Value a) {
  return unary<math::AbsFOp>(a);
}

Value toFloat(Value a) {
  if (isIndex(a)) {
    mlir::Type i64 = withElement(a, ops(a).getI64Type());
    a = wrap(a, arith::IndexCastUIOp::create(ops(a), i64, a.value));
  }
  return wrap(a, arith::UIToFPOp::create(ops(a), withElement(a, ops(a).getF32Type()), a.value));
}
Value toInt(Value a) {
  return wrap(a, arith::FPToSIOp::create(ops(a), withElement(a, ops(a).getI32Type()), a.value));
}
Value toIndex(Value word) {
  mlir::Type type = withElement(word, ops(word).getIndexType());
  return wrap(word, arith::IndexCastUIOp::create(ops(word), type, word.value));
}
Value toWord(Value index) {
  mlir::Type type = withElement(index, ops(index).getI32Type());
  return wrap(index, arith::IndexCastUIOp::create(ops(index), type, index.value));
}
Value asFloat(Value bits) {
  mlir::Type type = withElement(bits, ops(bits).getF32Type());
  return wrap(bits, arith::BitcastOp::create(ops(bits), type, bits.value));
}
Value asInt(Value number) {
  mlir::Type type = withElement(number, ops(number).getI32Type());
  return wrap(number, arith::BitcastOp::create(ops(number), type, number.value));
}

Value permute(Value a, Value b, llvm::ArrayRef<int64_t> lanes) {
  return wrap(a, mlir::vector::ShuffleOp::create(ops(a), a.value, b.value, lanes));
}

Value concat(Value a, Value b) {
  llvm::SmallVector<int64_t> lanes;
  for (unsigned i = 0; i < a.lanes() + b.lanes(); ++i)
    lanes.push_back(i);
  return permute(a, b, lanes);
}

Value splat(Value scalar, unsigned lanes) {
  auto type = mlir::VectorType::get({static_cast<int64_t>(lanes)}, scalar.value.getType());
  return wrap(scalar, mlir::vector::BroadcastOp::create(ops(scalar), type, scalar.value));
}

} // namespace xfmr::codegen::cpu
