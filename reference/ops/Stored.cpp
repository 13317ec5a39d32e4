// See Stored.h.
#include "reference/ops/Stored.h"
#include "reference/ops/Packed.h"
#include "reference/ops/Quantised.h"
#include <cmath>
#include <cstring>

namespace xfmr::reference {

double fromF16(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31)
    return fraction ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

double fromBF16(uint16_t bits) {
  const int exponent = bits >> 7 & 255, fraction = bits & 127;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 255)
    return fraction ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(fraction, -133);
  return sign * std::ldexp(128 + fraction, exponent - 134);
}

double roundToFloat(double value, int fractionBits, int leastExponent, double largest) {
  if (!std::isfinite(value) || value == 0)
    return value;
  const int exponent = std::max(std::ilogb(value), leastExponent);
  const double step = std::ldexp(1.0, exponent - fractionBits);
  const double rounded = std::nearbyint(value / step) * step; // the default mode: ties to even
  return std::abs(rounded) > largest ? std::copysign(INFINITY, value) : rounded;
}

double roundTo(mlir::Type elementType, double value) {
  if (elementType.isF16())
    return roundToFloat(value, 10, -14, 65504);
  if (elementType.isBF16())
    return roundToFloat(value, 7, -126, std::ldexp(255, 120));
  return roundToFloat(value, 23, -126, std::ldexp(16777215, 104));
}

void roundTo(mlir::Type elementType, Tensor &tensor) {
  for (double &value : tensor.values)
    value = roundTo(elementType, value);
}

Status readStored(const TensorView &view, Tensor &out) {
  if (view.dtype != DType::f32 && view.dtype != DType::f16 && view.dtype != DType::bf16)
    return Status::error("tensor \"" + view.name + "\" has dtype " +
                         std::string(dtypeName(view.dtype)) + ", expected F32, F16 or BF16");
  out = Tensor(view.shape);
  for (size_t i = 0; i < out.values.size(); ++i) {
    double &value = out.values[i];
    if (view.dtype == DType::f32) {
      float element;
      std::memcpy(&element, view.data + 4 * i, 4);
      value = element;
    } else {
      const uint16_t bits = static_cast<uint16_t>(view.data[2 * i] | view.data[2 * i + 1] << 8);
      value = view.dtype == DType::f16 ? fromF16(bits) : fromBF16(bits);
    }
    if (!std::isfinite(value))
      return Status::error("element " + std::to_string(i) + " of tensor \"" + view.name +
                           "\" is not finite");
  }
  return Status::success();
}

static std::string_view dtypeOf(mlir::Type elementType) {
  return elementType.isF16() ? "F16" : elementType.isBF16() ? "BF16" : "F32";
}

Status evaluate(WeightOp op, Evaluation &evaluation) {
  const TensorView *view = nullptr;
  if (Status status = evaluation.findTensor(op.getSourceName(), op.getTensorName(), view);
      status.failed())
    return status;
  auto type = llvm::cast<mlir::RankedTensorType>(op.getType());
  if (view->packed) {
    Tensor value;
    if (view->shape != std::vector<int64_t>(type.getShape()))
      return Status::error("tensor \"" + view->name + "\" is " + shapeText(view->shape) + ", expected " +
                           shapeText(std::vector<int64_t>(type.getShape())));
    if (Status status = readPacked(*view->packed, value); status.failed())
      return status;
    evaluation.set(op.getResult(), std::move(value));
    return Status::success();
  }
  if (std::optional<QuantScheme> scheme = quantSchemeOf(type)) {
    Tensor value;
    if (view->dtype != DType::u8 || (view->blocks && view->shape != std::vector<int64_t>(type.getShape())))
      return Status::error("tensor \"" + view->name + "\" is no quantised tensor of shape " +
                           shapeText(std::vector<int64_t>(type.getShape())));
    if (Status status = readQuantised(*scheme, std::vector<int64_t>(type.getShape()), *view, value); status.failed())
      return status;
    for (double element : value.values)
      if (!std::isfinite(element))
        return Status::error("an element of tensor \"" + view->name + "\" is not finite");
    evaluation.set(op.getResult(), std::move(value));
    return Status::success();
  }
  if (std::vector<int64_t>(type.getShape()) != view->shape ||
      dtypeName(view->dtype) != dtypeOf(type.getElementType()))
    return Status::error("tensor \"" + view->name + "\" is " +
                         std::string(dtypeName(view->dtype)) + " " + shapeText(view->shape) +
                         ", expected " + std::string(dtypeOf(type.getElementType())) + " " +
                         shapeText(std::vector<int64_t>(type.getShape())));
  Tensor value;
  if (Status status = readStored(*view, value); status.failed())
    return status;
  evaluation.set(op.getResult(), std::move(value));
  return Status::success();
}

Status evaluate(WeightCastOp op, Evaluation &evaluation) {
  Tensor value = evaluation.get(op.getInput());
  roundTo(op.getType().getElementType(), value);
  evaluation.set(op.getResult(), std::move(value));
  return Status::success();
}

} // namespace xfmr::reference
