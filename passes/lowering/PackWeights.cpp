// Streams weights into an artifact: evaluated, packed as their encoding says, appended, a few megabytes at a time.
#include "passes/lowering/PackWeights.h"

#include "passes/codegen/Kernel.h"
#include "passes/lowering/DispatchBuilder.h"
#include "passes/lowering/RopeTables.h"
#include "weights/Encoding.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Parallel.h"
#include <atomic>

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

// Rows first … of a plane of a quantised expression as another scheme of one level has it, with the same values: codes count
// from another zero, scales of larger groups and of two levels are multiplied out and repeated.
LogicalResult readAs(const QuantScheme &stored, WeightPlane plane, Value expression, int64_t first, int64_t count,
                     const WeightEvaluator &evaluator, float *out) {
  const QuantScheme scheme = *quantSchemeOf(expression.getType());
  const int64_t columns = weightColumns(expression.getType());
  auto read = [&](WeightPlane from, int64_t width, float *numbers) {
    return evaluator.evaluate(expression, {{first, first + count, 0, width}, numbers, width, from});
  };
  if (scheme == stored)
    return read(plane, stored.planeColumns(plane, columns), out);
  const float units = scheme.code == QuantCode::e2m1 ? 2 : 1; // its numbers are halves
  const float zero = scheme.minimum ? 0 : static_cast<float>(1 << (stored.bits() - 1));
  if (plane == WeightPlane::codes) {
    if (failed(read(plane, columns, out)))
      return failure();
    for (int64_t i = 0; i < count * columns; ++i)
      out[i] = scheme.codeValue(static_cast<int>(out[i])) * units + zero;
    return success();
  }
  // The scale, or minimum, of each group of the source.
  auto groups = [&](WeightPlane run, WeightPlane sub, std::vector<float> &numbers) {
    const int64_t runs = scheme.planeColumns(run, columns), width = scheme.planeColumns(WeightPlane::subScales, columns);
    std::vector<float> outer(count * runs), inner(scheme.twoLevels() ? count * width : 0);
    if (failed(read(run, runs, outer.data())) || (scheme.twoLevels() && failed(read(sub, width, inner.data()))))
      return failure();
    const int64_t groupsARun = scheme.twoLevels() ? scheme.super / scheme.group : 1;
    numbers.resize(count * width);
    for (int64_t i = 0; i < count * width; ++i)
      numbers[i] = outer[i / width * runs + i % width / groupsARun] * (scheme.twoLevels() ? inner[i] : 1);
    return success();
  };
  std::vector<float> scales, mins;
  if (failed(groups(WeightPlane::scales, WeightPlane::subScales, scales)) ||
      (scheme.minimum && failed(groups(WeightPlane::mins, WeightPlane::subMins, mins))))
    return failure();
  const int64_t width = scheme.planeColumns(WeightPlane::subScales, columns), blocks = stored.planeColumns(plane, columns);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t group = r * width + b * stored.group / scheme.groupColumns(columns);
      const float scale = scales[group] / units;
      if (plane == WeightPlane::scales)
        out[r * blocks + b] = scale;
      else
        out[r * blocks + b] = !scheme.minimum ? -zero * scale : scheme.twoLevels() ? -mins[group] : mins[group];
    }
  return success();
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
  const int64_t width = encoding.storedColumns(), block = encoding.blockRows(), pieces = 8;
  const int64_t chunkRows = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / width / block) * block;
  std::vector<uint8_t> bytes(std::min(chunkRows, encoding.storedRows()) * encoding.rowBytes());
  // A vector is one row here; the evaluator sees it as a column, so its numbers come one after the other.
  auto read = [&](int64_t first, int64_t count, float *values) {
    if (encoding.vector)
      return succeeded(evaluator.evaluateRows(expression, 0, encoding.columns, values));
    return succeeded(evaluator.evaluate(expression, {first, first + count, 0, encoding.columns}, values, width));
  };
  auto readCodes = [&](WeightPlane plane, int64_t first, int64_t count, float *numbers) {
    return succeeded(readAs(*encoding.scheme, plane, expression, first, count, evaluator, numbers));
  };
  if (Status status = writer.expect(name.str()); status.failed())
    return op.emitError(status.message());
  auto pack = [&](int64_t from, int64_t to, uint8_t *out) {
    return encoding.scheme ? encoding.packCodes(from, to, readCodes, out) : encoding.pack(from, to, read, out);
  };
  // Rows do not depend on each other, and rounding them is most of the time. What is wrong is then said by one thread.
  auto packOnThreads = [&](int64_t begin, int64_t end) {
    const int64_t most = (end - begin + pieces - 1) / pieces,
                  piece = (std::max<int64_t>(most, 16) + block - 1) / block * block;
    std::atomic<bool> done = true;
    if (end - begin > piece) {
      ScopedDiagnosticHandler silence(op.getContext(), [](Diagnostic &) { return success(); });
      llvm::parallelFor(0, static_cast<size_t>((end - begin + piece - 1) / piece), [&](size_t number) {
        const int64_t from = begin + static_cast<int64_t>(number) * piece;
        if (!pack(from, std::min(from + piece, end), bytes.data() + (from - begin) * encoding.rowBytes()))
          done = false;
      });
      if (done)
        return true;
    }
    return pack(begin, end, bytes.data());
  };
  for (int64_t begin = 0; begin < encoding.storedRows(); begin += chunkRows) {
    const int64_t end = std::min(begin + chunkRows, encoding.storedRows());
    const int64_t size = (end - begin) * encoding.rowBytes();
    if (!packOnThreads(begin, end))
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
