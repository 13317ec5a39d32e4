// See WeightEvaluator.h. Expressions evaluate themselves (dialect/ops/WeightEvaluation.cpp); here are the tensors below them.
#include "weights/WeightEvaluator.h"
#include "weights/Conversion.h"
#include "weights/GgufBlocks.h"
#include "weights/PackedRows.h"
#include "weights/QuantRows.h"
#include <algorithm>
#include <cmath>
#include <vector>

using namespace mlir;

namespace xfmr {

static std::optional<DType> dtypeOf(Type type) {
  Type element = cast<ShapedType>(type).getElementType();
  if (element.isF32())
    return DType::f32;
  if (element.isF16())
    return DType::f16;
  if (element.isBF16())
    return DType::bf16;
  return std::nullopt;
}

LogicalResult WeightEvaluator::evaluate(Value expression, const WeightTile &tile) const {
  if (tile.box.rows() <= 0 || tile.box.columns() <= 0)
    return success();
  if (auto bound = bindings_.find(expression); bound != bindings_.end())
    return evaluateEntry(*this, bound->second.stacked, bound->second.index, expression.getType(), tile);
  Operation *op = expression.getDefiningOp();
  if (!op)
    return emitError(expression.getLoc(), "block argument is not bound to a weight expression");
  if (auto weight = dyn_cast<WeightExpressionOpInterface>(op))
    return weight.evaluateBox(tile, *this);
  return op->emitError("is not a weight expression that can be evaluated");
}

LogicalResult WeightEvaluator::read(WeightOp op, const WeightTile &tile) const {
  const TensorView *tensor = nullptr;
  if (failed(locate(op, tensor)))
    return failure();
  const WeightBox &box = tile.box;
  const int64_t columns = weightColumns(op.getType());
  const int64_t bytes = dtypeBits(tensor->dtype) / 8;
  std::optional<QuantScheme> scheme = quantSchemeOf(op.getType());
  if (tensor->packed)
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      readPacked(*tensor->packed, tile.plane, r, box.columnBegin, box.columnEnd, tile.row(r));
  else if (scheme)
    readCodes(*scheme, *tensor, columns, tile);
  for (int64_t r = box.rowBegin; r < box.rowEnd; ++r) {
    float *row = tile.row(r);
    if (!scheme && !tensor->packed)
      convertToF32(tensor->dtype, tensor->data + (r * columns + box.columnBegin) * bytes, box.columns(), row);
    for (int64_t c = 0; c < box.columns(); ++c)
      if (!std::isfinite(row[c]))
        return op.emitError("tensor \"")
               << op.getTensorName() << "\" holds " << (std::isnan(row[c]) ? "NaN" : "infinity") << " at element "
               << r * columns + box.columnBegin + c;
  }
  return success();
}

// Rows lie in blocks of GGUF, or packed as files of xfmr hold them.
void WeightEvaluator::readCodes(const QuantScheme &scheme, const TensorView &tensor, int64_t columns,
                                const WeightTile &tile) const {
  const WeightBox &box = tile.box;
  if (tensor.blocks) {
    const GgufBlock block = *ggufBlock(tensor.blocks);
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      readBlocks(GgufType(tensor.blocks), tensor.data + r * (columns / block.elements) * block.bytes, tile.plane,
                 box.columnBegin, box.columnEnd, tile.row(r));
    return;
  }
  const QuantRows place(scheme, columns);
  for (int64_t r = box.rowBegin; r < box.rowEnd; ++r) {
    const uint8_t *row = tensor.data + r * place.rowBytes();
    auto read = [&](WeightPlane plane, int64_t begin, int64_t end, float *out) {
      place.unpack(plane, row, begin, end, out);
    };
    if (tile.plane == WeightPlane::values)
      quantValues(scheme, columns, box.columnBegin, box.columnEnd, read, tile.row(r));
    else
      read(tile.plane, box.columnBegin, box.columnEnd, tile.row(r));
  }
}

void WeightEvaluator::round(Type type, float *values, int64_t count) const {
  if (DType dtype = *dtypeOf(type); dtype != DType::f32)
    roundTo(dtype, values, count);
}

LogicalResult WeightEvaluator::evaluateRows(Value expression, int64_t begin, int64_t end,
                                            float *out) const {
  const int64_t columns = weightColumns(expression.getType());
  return evaluate(expression, {{begin, end, 0, columns}, out, columns});
}

LogicalResult WeightEvaluator::forEachChunk(
    Value expression,
    llvm::function_ref<LogicalResult(int64_t, int64_t, const float *)> visit) const {
  const int64_t rows = weightRows(expression.getType());
  const int64_t columns = weightColumns(expression.getType());
  const int64_t step = std::max<int64_t>(1, kChunkFloats / columns);
  std::vector<float> chunk(std::min(step, rows) * columns);
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t end = std::min(rows, begin + step);
    if (failed(evaluateRows(expression, begin, end, chunk.data())) ||
        failed(visit(begin, end, chunk.data())))
      return failure();
  }
  return success();
}

LogicalResult WeightEvaluator::locate(WeightOp op, const TensorView *&out) const {
  if (Status status = sources_.find(op.getSourceName().str(), op.getTensorName().str(), out);
      status.failed())
    return op.emitError(status.message());
  auto type = cast<ShapedType>(op.getType());
  std::vector<int64_t> shape(type.getShape().begin(), type.getShape().end());
  std::optional<DType> dtype = dtypeOf(type);
  if (out->packed) {
    if (shape != out->shape || !(quantSchemeOf(type) == packedScheme(*out->packed)) || (!quantSchemeOf(type) && dtype != DType::f32))
      return op.emitError("tensor \"") << op.getTensorName() << "\" of source \"" << op.getSourceName()
                                      << "\": a matrix of a quantised checkpoint " << shapeText(out->shape)
                                      << " is not " << type;
    return success();
  }
  if (std::optional<QuantScheme> scheme = quantSchemeOf(type)) {
    dtype = DType::u8;
    if (out->blocks) {
      if (!(ggufScheme(out->blocks) == scheme) || shape != out->shape)
        return op.emitError("tensor \"") << op.getTensorName() << "\" of source \"" << op.getSourceName() << "\": found "
                                        << ggufTypeName(out->blocks) << " " << shapeText(out->shape) << ", expected " << type;
      return success();
    }
    shape.back() = QuantRows(*scheme, shape.back()).rowBytes();
  }
  if (!dtype || *dtype != out->dtype || shape != out->shape)
    return op.emitError("tensor \"")
           << op.getTensorName() << "\" of source \"" << op.getSourceName() << "\": found "
           << (out->blocks ? ggufTypeName(out->blocks) : std::string(dtypeName(out->dtype))) << " "
           << shapeText(out->shape) << ", expected " << type;
  return success();
}

} // namespace xfmr
