// One U8 tensor a matrix, rows of packed bytes.
#include "passes/calibration/QuantisedWeights.h"

#include "runtime/artifact/Safetensors.h"
#include "weights/QuantRows.h"
#include "weights/SourcePlaces.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {

QuantisedWeights::QuantisedWeights(ModelOp model) : source_("quantized") {
  for (int number = 2; model.getSources().contains(source_); ++number)
    source_ = "quantized" + std::to_string(number);
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
  SafetensorsWriter writer;
  uint64_t hash = 0;
  for (const Stored &tensor : tensors_) {
    if (Status status = writer.declare(tensor.name, DType::u8, tensor.shape); status.failed())
      return status;
    hash = hash * 31 + llvm::xxh3_64bits(tensor.bytes);
  }
  const SourcePlaces &places = sourcePlaces(model.getContext());
  const fs::path own =
      fs::path(places.output.value_or("")) / ("quantized-" + llvm::utohexstr(hash, true, 16) + ".safetensors");
  const std::string file = path.empty() ? own.string() : path;
  Status status = writer.begin(file);
  for (const Stored &tensor : tensors_)
    if (status.ok())
      status = writer.append(tensor.bytes.data(), tensor.bytes.size());
  if (status.ok())
    status = writer.finish();
  if (status.failed())
    return status;
  fs::path place = fs::absolute(file).lexically_normal();
  if (places.output)
    place = place.lexically_proximate(fs::absolute(places.folder.empty() ? "." : places.folder).lexically_normal());
  Builder builder(model.getContext());
  SmallVector<NamedAttribute> sources(model.getSources().begin(), model.getSources().end());
  sources.push_back(builder.getNamedAttr(source_, builder.getStringAttr(place.string())));
  model.setSourcesAttr(builder.getDictionaryAttr(sources));
  return Status::success();
}

} // namespace xfmr
