// Packing: rows and columns padded to multiples of 8 with zeros, vectors as f32.
#include "passes/lowering/PackWeights.h"

#include "passes/codegen/Kernel.h"
#include "passes/lowering/RopeTables.h"
#include "weights/Conversion.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

struct Packing {
  DType dtype;
  const char *name;
  int64_t rows, columns;             // of the expression
  int64_t storedRows, storedColumns; // of the tensor
};

Packing packingOf(PackedWeightOp op) {
  auto memref = cast<MemRefType>(op.getType());
  Type element = memref.getElementType();
  Packing packing;
  packing.dtype = element.isF32() ? DType::f32 : (element.isF16() ? DType::f16 : DType::bf16);
  packing.name = element.isF32() ? "F32" : (element.isF16() ? "F16" : "BF16");
  auto yield = cast<YieldOp>(op.getBody().front().back());
  auto type = cast<RankedTensorType>(yield.getValues().front().getType());
  bool vector = type.getRank() == 1;
  packing.columns = vector ? type.getDimSize(0) : type.getShape().back();
  packing.rows = type.getNumElements() / packing.columns;
  packing.storedRows = vector ? 1 : memref.getDimSize(0);
  packing.storedColumns = vector ? memref.getDimSize(0) : memref.getDimSize(1);
  return packing;
}

std::vector<uint64_t> shapeOf(Type type) {
  ArrayRef<int64_t> shape = cast<MemRefType>(type).getShape();
  return std::vector<uint64_t>(shape.begin(), shape.end());
}

int64_t bytesOf(DType dtype) { return dtype == DType::f32 ? 4 : 2; }

} // namespace

Status xfmr::declareWeight(artifact::ArtifactWriter &writer, PackedWeightOp op) {
  return writer.declare(op.getSymName().str(), packingOf(op).name, shapeOf(op.getType()));
}

Status xfmr::declareRopeTable(artifact::ArtifactWriter &writer, RopeTableOp op) {
  return writer.declare(op.getSymName().str(), "F32",
                        {static_cast<uint64_t>(op.getRows()),
                         paddedWidth(static_cast<uint32_t>(op.getRotaryDim()))});
}

LogicalResult xfmr::writeWeight(artifact::ArtifactWriter &writer, PackedWeightOp op,
                                const WeightEvaluator &evaluator,
                                llvm::function_ref<void(uint64_t)> progress) {
  Packing packing = packingOf(op);
  Value expression = cast<YieldOp>(op.getBody().front().back()).getValues().front();
  int64_t stored = packing.storedColumns, element = bytesOf(packing.dtype);
  int64_t chunkRows = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / stored);
  std::vector<float> values(std::min(chunkRows, packing.storedRows) * stored);
  std::vector<uint8_t> bytes(values.size() * element);
  auto append = [&](int64_t rows) -> LogicalResult {
    convertFromF32(packing.dtype, values.data(), rows * stored, bytes.data());
    if (Status status = writer.append(bytes.data(), rows * stored * element); status.failed())
      return op.emitError(status.message());
    progress(static_cast<uint64_t>(rows * stored * element));
    return success();
  };
  if (Status status = writer.expect(op.getSymName().str()); status.failed())
    return op.emitError(status.message());
  // A vector is one row here; the evaluator sees it as a column, so its numbers come one after the other.
  bool vector = cast<RankedTensorType>(expression.getType()).getRank() == 1;
  for (int64_t begin = 0; begin < packing.storedRows; begin += chunkRows) {
    int64_t end = std::min(begin + chunkRows, packing.storedRows);
    int64_t real = std::min(end, packing.rows);
    std::fill(values.begin(), values.end(), 0.0f);
    if (vector) {
      if (failed(evaluator.evaluateRows(expression, 0, packing.columns, values.data())))
        return failure();
    } else if (begin < real &&
               failed(evaluator.evaluate(expression, {begin, real, 0, packing.columns}, values.data(), stored))) {
      return failure();
    }
    if (failed(append(end - begin)))
      return failure();
  }
  return success();
}

LogicalResult xfmr::writeRopeTable(artifact::ArtifactWriter &writer, RopeTableOp op,
                                   llvm::function_ref<void(uint64_t)> progress) {
  RopeFrequencies rope = ropeFrequencies(op.getRotaryDim(), op.getTheta().convertToDouble(),
                                         op.getScalingAttr());
  int64_t stride = paddedWidth(static_cast<uint32_t>(op.getRotaryDim()));
  int64_t chunk = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / stride), rows = op.getRows();
  std::vector<float> values(std::min(chunk, rows) * stride);
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    int64_t end = std::min(begin + chunk, rows);
    fillRopeTable(rope, begin, end, values.data());
    uint64_t bytes = static_cast<uint64_t>((end - begin) * stride) * sizeof(float);
    if (Status status = writer.append(values.data(), bytes); status.failed())
      return op.emitError(status.message());
    progress(bytes);
  }
  return success();
}
