// One U8 tensor a matrix, rows of packed bytes.
#include "passes/calibration/QuantisedWeights.h"

#include "passes/calibration/WrittenSource.h"
#include "weights/QuantRows.h"

using namespace mlir;

namespace xfmr {

static constexpr StringLiteral kKind = "quantized";

QuantisedWeights::QuantisedWeights(ModelOp model) : source_(unusedSourceName(model, kKind)) {
}

Value QuantisedWeights::add(OpBuilder &builder, Location loc, const std::string &name, RankedTensorType type,
                            std::vector<uint8_t> bytes) {
  Stored stored{name, std::vector<int64_t>(type.getShape()), std::move(bytes)};
  for (int number = 2; llvm::any_of(tensors_, [&](const Stored &other) { return other.name == stored.name; }); ++number)
    stored.name = name + "#" + std::to_string(number);
  stored.shape.back() = QuantRows(*quantSchemeOf(type), type.getShape().back()).rowBytes();
  tensors_.push_back(std::move(stored));
  return WeightOp::create(builder, loc, type, builder.getStringAttr(tensors_.back().name),
                          builder.getStringAttr(source_));
}

Status QuantisedWeights::write(ModelOp model, const std::string &path) {
  SmallVector<WrittenTensor> written;
  for (const Stored &tensor : tensors_)
    written.push_back({tensor.name, DType::u8, tensor.shape, tensor.bytes});
  return writeSource(model, source_, kKind, path, written);
}

} // namespace xfmr
