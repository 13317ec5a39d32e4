// See RepairedWeights.h.
#include "passes/calibration/RepairedWeights.h"

#include "runtime/artifact/Safetensors.h"
#include "weights/Conversion.h"
#include "weights/SourcePlaces.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/xxhash.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {

RepairedWeights::RepairedWeights(ModelOp model, StringRef kind) : kind_(kind), source_(kind) {
  for (int number = 2; model.getSources().contains(source_); ++number)
    source_ = kind_ + std::to_string(number);
}

Value RepairedWeights::add(OpBuilder &builder, Location loc, StringRef name, RankedTensorType type, MatrixF value,
                           Forward &forward) {
  const Type f32 = builder.getF32Type();
  tensors_.push_back({name.str(), std::vector<int64_t>(type.getShape()), value});
  Value result = WeightOp::create(builder, loc, type.clone(f32), builder.getStringAttr(name),
                                  builder.getStringAttr(source_));
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
  SafetensorsWriter writer;
  uint64_t hash = 0;
  for (const Stored &tensor : tensors_) {
    if (Status status = writer.declare(tensor.name, DType::f32, tensor.shape); status.failed())
      return status;
    const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(tensor.value.data()),
                                        tensor.value.size() * sizeof(float));
    hash = hash * 31 + llvm::xxh3_64bits(bytes);
  }
  const SourcePlaces &places = sourcePlaces(model.getContext());
  const fs::path own = fs::path(places.output.value_or("")) / (kind_ + "-" + llvm::utohexstr(hash, true, 16) + ".safetensors");
  const std::string file = path.empty() ? own.string() : path;
  Status status = writer.begin(file);
  for (const Stored &tensor : tensors_)
    if (status.ok())
      status = writer.append(tensor.value.data(), tensor.value.size() * sizeof(float));
  if (status.ok())
    status = writer.finish();
  if (status.failed())
    return status;
  Builder builder(model.getContext());
  SmallVector<NamedAttribute> sources(model.getSources().begin(), model.getSources().end());
  sources.push_back(builder.getNamedAttr(source_, builder.getStringAttr(nameOfWritten(places, file))));
  model.setSourcesAttr(builder.getDictionaryAttr(sources));
  return Status::success();
}

} // namespace xfmr
