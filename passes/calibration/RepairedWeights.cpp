// See RepairedWeights.h.
#include "passes/calibration/RepairedWeights.h"

#include "passes/calibration/WrittenSource.h"
#include "weights/Conversion.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace xfmr {

RepairedWeights::RepairedWeights(ModelOp model, StringRef kind) : kind_(kind), source_(unusedSourceName(model, kind)) {
}

Value RepairedWeights::add(OpBuilder &builder, Location loc, StringRef name, RankedTensorType type, MatrixF value,
                           Forward &forward) {
  const Type f32 = builder.getF32Type();
  tensors_.push_back({name.str(), std::vector<int64_t>(type.getShape()), value});
  Value result =
      WeightOp::create(builder, loc, type.clone(f32), builder.getStringAttr(name), builder.getStringAttr(source_));
  if (quantSchemeOf(type)) {
    result = WeightQuantizeOp::create(builder, loc, type, result, QuantRule::search);
    return result; // its value is what the codes stand for
  }
  if (type.getElementType() != f32) {
    result = WeightCastOp::create(builder, loc, type, result);
    roundTo(type.getElementType().isF16() ? DType::f16 : DType::bf16, value.data(), value.size());
  }
  forward.provide(result, std::move(value));
  return result;
}

Status RepairedWeights::write(ModelOp model, const std::string &path) {
  llvm::StringSet<> named; // what a later fit replaced is not
  model.getBody().walk([&](WeightOp weight) {
    if (weight.getSourceName() == source_)
      named.insert(weight.getTensorName());
  });
  llvm::erase_if(tensors_, [&](const Stored &tensor) { return !named.contains(tensor.name); });
  SmallVector<WrittenTensor> written;
  for (const Stored &tensor : tensors_)
    written.push_back({tensor.name,
                       DType::f32,
                       tensor.shape,
                       {reinterpret_cast<const uint8_t *>(tensor.value.data()), tensor.value.size() * sizeof(float)}});
  return writeSource(model, source_, kind_, path, written);
}

} // namespace xfmr
