// Operators and functions on Value: each emits one operation, after giving both sides one shape.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {
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
  auto vector = mlir::dyn_cast<mlir::VectorType>(like.value.getType());
  if (!vector || scalar.isVector())
    return scalar;
  auto type = mlir::VectorType::get(vector.getShape(), scalar.value.getType());
  return wrap(scalar, mlir::vector::BroadcastOp::create(ops(scalar), type, scalar.value));
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

} // namespace

bool Value::isFloat() const {
  return mlir::getElementTypeOrSelf(value.getType()).isF32();
}
bool Value::isVector() const {
  return mlir::isa<mlir::VectorType>(value.getType());
}

Value Value::operator[](unsigned lane) const {
  return Value(builder,
               mlir::vector::ExtractOp::create(builder->ops(), value, static_cast<int64_t>(lane)));
}

Value constantLike(Value like, double number) {
  auto type = like.value.getType();
  mlir::Type element = mlir::getElementTypeOrSelf(type);
  mlir::Builder &b = ops(like);
  mlir::TypedAttr attr;
  if (element.isF32())
    attr = b.getF32FloatAttr(static_cast<float>(number));
  else
    attr =
        b.getIntegerAttr(element, llvm::APInt(element.getIntOrFloatBitWidth(),
                                              static_cast<uint64_t>(static_cast<int64_t>(number)),
                                              /*isSigned=*/false, /*implicitTrunc=*/true));
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    attr = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attr));
  return wrap(like, arith::ConstantOp::create(ops(like), attr));
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
  return wrap(a, arith::NegFOp::create(ops(a), a.value));
}
Value operator!(Value condition) {
  return condition ^ constantLike(condition, 1);
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
  if (a.isVector())
    return wrap(a, mlir::vector::FMAOp::create(ops(a), a.value, b.value, c.value));
  return wrap(a, math::FmaOp::create(ops(a), a.value, b.value, c.value));
}

Value select(Value condition, Value yes, Value no) {
  yes = broadcast(yes, no);
  no = broadcast(no, yes);
  return wrap(yes, arith::SelectOp::create(ops(yes), condition.value, yes.value, no.value));
}

Value sum(Value vector) {
  return (vector[0] + vector[1]) + (vector[2] + vector[3]);
}

Value dot(Value a, Value b, Value start) {
  for (unsigned lane = 0; lane < 4; ++lane)
    start = fma(a[lane], b[lane], start);
  return start;
}

Value sqrt(Value a) {
  return wrap(a, math::SqrtOp::create(ops(a), a.value));
}
Value rsqrt(Value a) {
  return wrap(a, math::RsqrtOp::create(ops(a), a.value));
}
Value floor(Value a) {
  return wrap(a, math::FloorOp::create(ops(a), a.value));
}
Value abs(Value a) {
  return wrap(a, math::AbsFOp::create(ops(a), a.value));
}

Value toFloat(Value a) {
  return wrap(a, arith::UIToFPOp::create(ops(a), withElement(a, ops(a).getF32Type()), a.value));
}
Value toInt(Value a) {
  return wrap(a, arith::FPToSIOp::create(ops(a), withElement(a, ops(a).getI32Type()), a.value));
}
Value asFloat(Value bits) {
  return wrap(bits, arith::BitcastOp::create(ops(bits), withElement(bits, ops(bits).getF32Type()),
                                             bits.value));
}
Value asInt(Value number) {
  return wrap(number,
              arith::BitcastOp::create(ops(number), withElement(number, ops(number).getI32Type()),
                                       number.value));
}

Value unpackHalf(Value word) {
  auto type = mlir::VectorType::get({2}, ops(word).getF32Type());
  return wrap(word, mlir::spirv::GLUnpackHalf2x16Op::create(ops(word), type, word.value));
}

Value packHalf(Value low, Value high) {
  auto type = mlir::VectorType::get({2}, ops(low).getF32Type());
  mlir::Value pair =
      mlir::vector::FromElementsOp::create(ops(low), type, mlir::ValueRange{low.value, high.value});
  return wrap(low, mlir::spirv::GLPackHalf2x16Op::create(ops(low), ops(low).getI32Type(), pair));
}

Value unpackPair(Value u64) {
  auto type = mlir::VectorType::get({2}, ops(u64).getI32Type());
  return wrap(u64, mlir::spirv::BitcastOp::create(ops(u64), type, u64.value));
}

Value unpackBfloat(Value word) {
  auto type = mlir::VectorType::get({2}, ops(word).getF32Type());
  Value low = asFloat(word << 16), high = asFloat(word & 0xffff0000u);
  return wrap(word, mlir::vector::FromElementsOp::create(ops(word), type,
                                                         mlir::ValueRange{low.value, high.value}));
}

} // namespace xfmr::codegen
