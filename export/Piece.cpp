// See Piece.h.
#include "export/Piece.h"
#include "weights/Diagnostics.h"
#include <algorithm>
#include <vector>

using namespace mlir;

namespace xfmr::exports {

int64_t Piece::numRows() const {
  return weightRows(value.getType());
}
int64_t Piece::numColumns() const {
  return weightColumns(value.getType());
}
bool Piece::isVector() const {
  return cast<RankedTensorType>(value.getType()).getRank() == 1;
}
Type Piece::elementType() const {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

Status forEachRows(const WeightEvaluator &evaluator, const Piece &piece,
                   llvm::function_ref<Status(const float *, int64_t)> visit) {
  CollectedErrors errors(piece.value.getContext());
  const int64_t rows = piece.numRows(), columns = piece.numColumns();
  const int64_t step = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / columns);
  std::vector<float> read;
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t end = std::min(rows, begin + step);
    read.resize((end - begin) * columns);
    if (failed(evaluator.evaluateRows(piece.value, begin, end, read.data())))
      return errors.status();
    if (piece.offset != 0.0f)
      for (float &value : read)
        value += piece.offset;
    if (Status status = visit(read.data(), end - begin); status.failed())
      return status;
  }
  return Status::success();
}

LogicalResult readPlane(const WeightEvaluator &evaluator, const Piece &piece, WeightPlane plane, int64_t row,
                        float *out) {
  const Type type = piece.value.getType();
  const int64_t width = quantSchemeOf(type)->planeColumns(plane, weightColumns(type));
  return evaluator.evaluate(piece.value, {{row, row + 1, 0, width}, out, width, plane});
}

} // namespace xfmr::exports
