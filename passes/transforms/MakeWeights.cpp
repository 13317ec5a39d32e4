// xfmr-make-weights: a checkpoint for IR that has none. Numbers come from a hash of seed, name and place, so that they are the same
// everywhere and in any order.
#include "passes/Passes.h"
#include "runtime/artifact/Safetensors.h"
#include "weights/Conversion.h"
#include "weights/SourcePlaces.h"
#include "weights/Summary.h"

#include "llvm/Support/xxhash.h"
#include <cmath>
#include <filesystem>
#include <map>

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRMAKEWEIGHTS
#include "passes/Passes.h.inc"

namespace {

/// Uniform in [0, 1), by splitmix64 (Steele, Lea, Flood 2014).
float uniform(uint64_t &state) {
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24f;
}

/// Mean 0, variance 1, between -3.5 and 3.5: a sum of four uniform numbers, which needs no library's logarithm.
float nearlyNormal(uint64_t &state) {
  float sum = -2;
  for (int i = 0; i < 4; ++i)
    sum += uniform(state);
  return sum * 1.7320508f;
}

struct MakeWeights : impl::XfmrMakeWeightsBase<MakeWeights> {
  using Base::Base;

  void runOnOperation() override {
    std::map<std::string, WeightOp> tensors;
    ModelOp model = getOperation();
    if (failed(collect(model, tensors)) || failed(write(model, tensors)))
      signalPassFailure();
  }

  LogicalResult collect(ModelOp model, std::map<std::string, WeightOp> &tensors) {
    const WalkResult result = model.walk([&](WeightOp op) -> WalkResult {
      if (op.getSourceName() != "base")
        return WalkResult::advance();
      auto [known, isNew] = tensors.emplace(op.getTensorName().str(), op);
      if (known->second.getType() != op.getType())
        return op.emitError("tensor \"") << op.getTensorName() << "\" is " << op.getType() << " here and "
                                         << known->second.getType() << " elsewhere";
      if (!dtypeOf(op))
        return op.emitError("cannot make numbers of type ") << cast<ShapedType>(op.getType()).getElementType();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    double number = 0;
    if (!value.empty() && StringRef(value).getAsDouble(number))
      return model.emitError("value is '") << StringRef(value) << "', expected a number";
    return success();
  }

  static std::optional<DType> dtypeOf(WeightOp op) {
    const Type element = cast<ShapedType>(op.getType()).getElementType();
    return element.isF32()    ? std::optional(DType::f32)
           : element.isF16()  ? std::optional(DType::f16)
           : element.isBF16() ? std::optional(DType::bf16)
                              : std::nullopt;
  }

  LogicalResult write(ModelOp model, const std::map<std::string, WeightOp> &tensors) {
    const SourcePlaces &places = sourcePlaces(&getContext());
    const std::string file =
        out.empty() ? (std::filesystem::path(places.output.value_or("")) / "made-weights.safetensors").string() : out;
    SafetensorsWriter writer;
    Status status = Status::success();
    for (auto [name, op] : tensors)
      if (status.ok())
        status = writer.declare(name, *dtypeOf(op), std::vector<int64_t>(cast<ShapedType>(op.getType()).getShape()));
    if (status.ok())
      status = writer.begin(file);
    for (auto [name, op] : tensors)
      if (status.ok())
        status = append(writer, name, op);
    if (status.ok())
      status = writer.finish();
    if (status.failed())
      return model.emitError(status.message());
    Builder builder(&getContext());
    SmallVector<NamedAttribute> sources = {
        builder.getNamedAttr("base", builder.getStringAttr(nameOfWritten(places, file)))};
    for (NamedAttribute source : model.getSources())
      if (source.getName() != "base")
        sources.push_back(source);
    model.setSourcesAttr(builder.getDictionaryAttr(sources));
    made += tensors.size();
    summarise(&getContext(), "xfmr-make-weights: " + std::to_string(tensors.size()) +
                                 " tensors of made-up numbers in \"" + file + "\"");
    return success();
  }

  Status append(SafetensorsWriter &writer, const std::string &name, WeightOp op) {
    auto type = cast<ShapedType>(op.getType());
    const DType dtype = *dtypeOf(op);
    const int64_t width = dtype == DType::f32 ? 4 : 2;
    double number = 1; // vectors are norms, mostly
    StringRef(value).getAsDouble(number);
    const bool random = value.empty() && type.getRank() > 1;
    const float deviation = random ? 1 / std::sqrt(static_cast<float>(type.getShape().back())) : 0;
    uint64_t state = llvm::xxh3_64bits(name) ^ (seed * 0xD6E8FEB86659FD93u);
    std::vector<float> values;
    std::vector<uint8_t> bytes;
    for (int64_t left = type.getNumElements(); left > 0; left -= static_cast<int64_t>(values.size())) {
      values.assign(std::min<int64_t>(left, 1 << 16), static_cast<float>(number));
      for (float &each : values)
        if (random)
          each = nearlyNormal(state) * deviation;
      bytes.resize(values.size() * width);
      convertFromF32(dtype, values.data(), values.size(), bytes.data());
      if (Status status = writer.append(bytes.data(), bytes.size()); status.failed())
        return status;
    }
    return Status::success();
  }
};

} // namespace
} // namespace xfmr
