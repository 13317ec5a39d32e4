// See SourcePlaces.h. They hang on the dialect, which is the one thing of ours that a context owns.
#include "weights/SourcePlaces.h"
#include "dialect/Xfmr.h"
#include "mlir/IR/DialectInterface.h"
#include <filesystem>

using namespace mlir;

namespace xfmr {
namespace {

struct Attached : DialectInterface::Base<Attached> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Attached)
  explicit Attached(Dialect *dialect) : Base(dialect) {}
  SourcePlaces places;
};

} // namespace

const SourcePlaces &sourcePlaces(MLIRContext *context) {
  static const SourcePlaces none;
  auto *dialect = context->getLoadedDialect<XfmrDialect>();
  const auto *attached = dialect ? dialect->getRegisteredInterface<Attached>() : nullptr;
  return attached ? attached->places : none;
}

SourcePlaces &attachSourcePlaces(MLIRContext *context) {
  Dialect *dialect = context->getOrLoadDialect<XfmrDialect>();
  if (!dialect->getRegisteredInterface<Attached>())
    dialect->addInterface(std::make_unique<Attached>(dialect));
  return dialect->getRegisteredInterface<Attached>()->places;
}

std::string nameOfWritten(const SourcePlaces &places, const std::string &path) {
  namespace fs = std::filesystem;
  fs::path place = fs::absolute(path).lexically_normal();
  if (places.output)
    place = place.lexically_proximate(fs::absolute(places.folder.empty() ? "." : places.folder).lexically_normal());
  return place.string();
}

} // namespace xfmr
