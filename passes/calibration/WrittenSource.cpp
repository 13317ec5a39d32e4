// See WrittenSource.h.
#include "passes/calibration/WrittenSource.h"

#include "weights/SourcePlaces.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {

std::string unusedSourceName(ModelOp model, StringRef kind) {
  std::string name = kind.str();
  for (int number = 2; model.getSources().contains(name); ++number)
    name = kind.str() + std::to_string(number);
  return name;
}

Status writeSource(ModelOp model, StringRef source, StringRef kind, const std::string &path,
                   ArrayRef<WrittenTensor> tensors) {
  SafetensorsWriter writer;
  uint64_t hash = 0;
  for (const WrittenTensor &tensor : tensors) {
    if (Status status = writer.declare(tensor.name, tensor.dtype, tensor.shape); status.failed())
      return status;
    hash = hash * 31 + llvm::xxh3_64bits(tensor.bytes);
  }
  const SourcePlaces &places = sourcePlaces(model.getContext());
  const fs::path own =
      fs::path(places.output.value_or("")) / (kind.str() + "-" + llvm::utohexstr(hash, true, 16) + ".safetensors");
  const std::string file = path.empty() ? own.string() : path;
  Status status = writer.begin(file);
  for (const WrittenTensor &tensor : tensors)
    if (status.ok())
      status = writer.append(tensor.bytes.data(), tensor.bytes.size());
  if (status.ok())
    status = writer.finish();
  if (status.failed())
    return status;
  Builder builder(model.getContext());
  SmallVector<NamedAttribute> sources(model.getSources().begin(), model.getSources().end());
  sources.push_back(builder.getNamedAttr(source, builder.getStringAttr(nameOfWritten(places, file))));
  model.setSourcesAttr(builder.getDictionaryAttr(sources));
  return Status::success();
}

} // namespace xfmr
