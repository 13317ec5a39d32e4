// See TensorFile.h.
#include "export/TensorFile.h"
#include "runtime/artifact/Safetensors.h"
#include "weights/Conversion.h"

using namespace mlir;

namespace xfmr::exports {

static DType typeOf(const Piece &piece, ElementType type) {
  switch (type) {
  case ElementType::f32: return DType::f32;
  case ElementType::f16: return DType::f16;
  case ElementType::bf16: return DType::bf16;
  default: break;
  }
  const Type element = piece.elementType();
  return element.isF16() ? DType::f16 : element.isBF16() ? DType::bf16 : DType::f32;
}

Status writeTensorFile(const std::vector<NamedPiece> &tensors, ElementType type, const WeightSources &sources,
                       const std::string &path) {
  SafetensorsWriter writer;
  writer.setMetadata("format", "pt");
  for (const NamedPiece &tensor : tensors) {
    const ArrayRef<int64_t> shape = cast<RankedTensorType>(tensor.piece.value.getType()).getShape();
    if (Status status = writer.declare(tensor.name, typeOf(tensor.piece, type), shape.vec()); status.failed())
      return status;
  }
  Status status = writer.begin(path);
  WeightEvaluator evaluator(sources);
  std::vector<uint8_t> bytes;
  for (const NamedPiece &tensor : tensors) {
    if (status.failed())
      return status;
    const DType dtype = typeOf(tensor.piece, type);
    const int64_t columns = tensor.piece.numColumns();
    auto write = [&](const float *values, int64_t rows) {
      bytes.resize(rows * columns * dtypeBits(dtype) / 8);
      convertFromF32(dtype, values, rows * columns, bytes.data());
      return writer.append(bytes.data(), bytes.size());
    };
    status = forEachRows(evaluator, tensor.piece, write);
  }
  return status.ok() ? writer.finish() : status;
}

} // namespace xfmr::exports
