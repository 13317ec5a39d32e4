// See GgufTensorFile.h.
#include "export/GgufTensorFile.h"
#include "dialect/Rounding.h"
#include "weights/Conversion.h"
#include "weights/GgufBlocks.h"

using namespace mlir;

namespace xfmr::exports {

/// Routers, positions and biases by distance are small, and every choice hangs on them.
static bool staysF32(const Piece &piece, llvm::StringRef name) {
  static constexpr llvm::StringLiteral kinds[] = {"ffn_gate_inp.", "position_embd.", "token_types.", "attn_rel_b.",
                                                  "attn_rel_b"};
  return piece.isVector() || name.ends_with(".bias") ||
         llvm::any_of(kinds, [&](llvm::StringRef kind) { return name.contains(kind); });
}

void GgufTensorFile::add(const NamedPiece &tensor) {
  const Piece &piece = tensor.piece;
  std::vector<int64_t> shape = cast<RankedTensorType>(piece.value.getType()).getShape().vec();
  if (staysF32(piece, tensor.name)) {
    tensors.push_back({tensor.name, GgufType::f32, std::move(shape), piece, {}});
    return;
  }
  const GgufType fitting = matrixType(piece);
  mixed |= fitting != wantedType(piece);
  if (auto quantised = dyn_cast<QuantType>(piece.elementType()); quantised && type == ElementType::keep)
    expanded |= !ggufTypeOf(quantised.getScheme());
  tensors.push_back({tensor.name, fitting, std::move(shape), piece, {}});
}

void GgufTensorFile::add(const std::string &name, std::vector<float> values) {
  tensors.push_back({name, GgufType::f32, {static_cast<int64_t>(values.size())}, {}, std::move(values)});
}

void GgufTensorFile::addNotes(std::vector<std::string> &notes) const {
  if (mixed)
    notes.push_back(
        "tensors whose rows are no whole blocks of the type are written as a type that holds them, or as f16");
  if (expanded)
    notes.push_back("weights of a form that GGUF has no blocks for are written as f32");
}

Status GgufTensorFile::declare(GgufWriter &writer) const {
  for (const Tensor &tensor : tensors)
    if (Status status = writer.declare(tensor.name, tensor.type, tensor.shape); status.failed())
      return status;
  return Status::success();
}

uint32_t GgufTensorFile::fileType() const {
  GgufType most = tensors.front().type;
  for (const Tensor &tensor : tensors)
    if (tensor.shape.size() > 1 && llvm::StringRef(tensor.name).contains("blk.0.attn")) {
      most = tensor.type;
      break;
    }
  switch (most) {
  case GgufType::f32: return 0;
  case GgufType::f16: return 1;
  case GgufType::q8_0: return 7;
  case GgufType::bf16: return 32;
  case GgufType::q4_0: return 2;
  case GgufType::q4_1: return 3;
  case GgufType::q5_0: return 8;
  case GgufType::q5_1: return 9;
  case GgufType::q2_k: return 10;
  case GgufType::q3_k: return 12;
  case GgufType::q4_k: return 15;
  case GgufType::q5_k: return 17;
  case GgufType::q6_k: return 18;
  case GgufType::iq4_nl: return 25;
  case GgufType::iq4_xs: return 30;
  case GgufType::mxfp4: return 38;
  }
  return 0;
}

GgufType GgufTensorFile::wantedType(const Piece &piece) const {
  switch (this->type) {
  case ElementType::f32: return GgufType::f32;
  case ElementType::f16: return GgufType::f16;
  case ElementType::bf16: return GgufType::bf16;
  case ElementType::q8_0: return GgufType::q8_0;
  case ElementType::q4_0: return GgufType::q4_0;
  case ElementType::q4_k: return GgufType::q4_k;
  case ElementType::q6_k: return GgufType::q6_k;
  case ElementType::keep: break;
  }
  const Type type = piece.elementType();
  if (auto quantised = dyn_cast<QuantType>(type))
    return ggufTypeOf(quantised.getScheme()).value_or(GgufType::f32);
  return type.isF16() ? GgufType::f16 : type.isBF16() ? GgufType::bf16 : GgufType::f32;
}

/// What was rounded before is not rounded to another type of blocks, unless that is asked for.
GgufType GgufTensorFile::matrixType(const Piece &piece) const {
  const GgufType wanted = wantedType(piece), type = fittingType(wanted, piece.numColumns());
  return this->type == ElementType::keep && type != wanted ? GgufType::f16 : type;
}

/// The piece is made of such blocks: its codes are written as they are.
static bool keepsCodes(GgufType type, const Piece &piece) {
  std::optional<QuantScheme> scheme = quantSchemeOf(piece.value.getType());
  return scheme && ggufTypeOf(*scheme) == type;
}

Status GgufTensorFile::appendCodes(GgufWriter &writer, GgufType type, const Piece &piece) const {
  const int64_t columns = piece.numColumns();
  const GgufBlock block = *ggufBlock(static_cast<uint32_t>(type));
  std::vector<uint8_t> row(columns / block.elements * block.bytes);
  for (int64_t r = 0; r < piece.numRows(); ++r) {
    bool read = true;
    writeBlocks(
        type, columns,
        [&](WeightPlane plane, float *out) { read = read && succeeded(readPlane(evaluator, piece, plane, r, out)); },
        row.data());
    if (!read)
      return Status::error("cannot evaluate a weight"); // untested: the evaluator's own error is what is told
    if (Status status = writer.append(row.data(), row.size()); status.failed())
      return status;
  }
  return Status::success();
}

static void encode(GgufType type, const float *values, int64_t rows, int64_t columns, std::vector<uint8_t> &bytes) {
  const int64_t count = rows * columns;
  if (std::optional<QuantScheme> scheme = ggufScheme(static_cast<uint32_t>(type))) {
    const GgufBlock block = *ggufBlock(static_cast<uint32_t>(type));
    const int64_t rowBytes = columns / block.elements * block.bytes;
    bytes.resize(rows * rowBytes);
    for (int64_t r = 0; r < rows; ++r)
      writeBlocks(
          type, columns,
          [&](WeightPlane plane, float *out) {
            quantiseRow(*scheme, QuantRule::search, values + r * columns, columns, columns, plane, out);
          },
          bytes.data() + r * rowBytes);
    return;
  }
  const DType dtype = type == GgufType::f32 ? DType::f32 : type == GgufType::f16 ? DType::f16 : DType::bf16;
  bytes.resize(count * dtypeBits(dtype) / 8);
  convertFromF32(dtype, values, count, bytes.data());
}

Status GgufTensorFile::append(GgufWriter &writer) const {
  Status status = Status::success();
  std::vector<uint8_t> bytes;
  for (const Tensor &tensor : tensors) {
    if (status.failed())
      return status;
    if (!tensor.piece) {
      status = writer.append(tensor.values.data(), tensor.values.size() * sizeof(float));
      continue;
    }
    if (keepsCodes(tensor.type, tensor.piece)) {
      status = appendCodes(writer, tensor.type, tensor.piece);
      continue;
    }
    const int64_t columns = tensor.piece.numColumns();
    auto append = [&](const float *values, int64_t rows) {
      encode(tensor.type, values, rows, columns, bytes);
      return writer.append(bytes.data(), bytes.size());
    };
    status = forEachRows(evaluator, tensor.piece, append);
  }
  return status;
}

} // namespace xfmr::exports
