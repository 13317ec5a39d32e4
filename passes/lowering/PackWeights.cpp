// Streams weights into an artifact: evaluated, packed as their encoding says, appended, a few megabytes at a time.
#include "passes/lowering/PackWeights.h"

#include "passes/codegen/Kernel.h"
#include "passes/lowering/DispatchBuilder.h"
#include "passes/lowering/RopeTables.h"
#include "weights/Encoding.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

// A packed weight says by the rank of its type which layout it has: a vector, rows, or panels.
Encoding xfmr::storedAs(PackedWeightOp op) {
  auto memref = cast<MemRefType>(op.getType());
  auto yield = cast<YieldOp>(op.getBody().front().back());
  WeightLayout layout = memref.getRank() > 2 ? WeightLayout::panels : WeightLayout::rows;
  return encodingOf(yield.getValues().front(), layout);
}

namespace {

std::vector<uint64_t> shapeOf(Type type) {
  ArrayRef<int64_t> shape = cast<MemRefType>(type).getShape();
  return std::vector<uint64_t>(shape.begin(), shape.end());
}

} // namespace

Status xfmr::declareWeight(artifact::ArtifactWriter &writer, StringRef name, PackedWeightOp op) {
  return writer.declare(name.str(), storedAs(op).elementName(), shapeOf(op.getType()));
}

Status xfmr::declareRopeTable(artifact::ArtifactWriter &writer, StringRef name, RopeTableOp op) {
  return writer.declare(name.str(), "F32",
                        {static_cast<uint64_t>(op.getRows()),
                         paddedWidth(static_cast<uint32_t>(op.getRotaryDim()))});
}

LogicalResult xfmr::writeWeight(artifact::ArtifactWriter &writer, StringRef name, PackedWeightOp op,
                                const WeightEvaluator &evaluator,
                                llvm::function_ref<void(uint64_t)> progress) {
  Encoding encoding = storedAs(op);
  Value expression = cast<YieldOp>(op.getBody().front().back()).getValues().front();
  const int64_t width = encoding.storedColumns(), block = encoding.blockRows();
  const int64_t chunkRows = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / width / block) * block;
  std::vector<uint8_t> bytes(std::min(chunkRows, encoding.storedRows()) * encoding.rowBytes());
  // A vector is one row here; the evaluator sees it as a column, so its numbers come one after the other.
  auto read = [&](int64_t first, int64_t count, float *values) {
    if (encoding.vector)
      return succeeded(evaluator.evaluateRows(expression, 0, encoding.columns, values));
    return succeeded(evaluator.evaluate(expression, {first, first + count, 0, encoding.columns}, values, width));
  };
  auto readCodes = [&](WeightPlane plane, int64_t first, int64_t count, float *numbers) {
    const int64_t columns = encoding.scheme->planeColumns(plane, encoding.columns);
    return succeeded(evaluator.evaluate(expression, {{first, first + count, 0, columns}, numbers, columns, plane}));
  };
  if (Status status = writer.expect(name.str()); status.failed())
    return op.emitError(status.message());
  for (int64_t begin = 0; begin < encoding.storedRows(); begin += chunkRows) {
    const int64_t end = std::min(begin + chunkRows, encoding.storedRows());
    const int64_t size = (end - begin) * encoding.rowBytes();
    if (!(encoding.scheme ? encoding.packCodes(begin, end, readCodes, bytes.data())
                          : encoding.pack(begin, end, read, bytes.data())))
      return failure();
    if (Status status = writer.append(bytes.data(), size); status.failed())
      return op.emitError(status.message());
    progress(static_cast<uint64_t>(size));
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
