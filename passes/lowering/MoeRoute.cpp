// The words of the routes, and the choice.
#include "passes/lowering/MoeRoute.h"
#include "passes/codegen/Choice.h"

#include "llvm/ADT/StringSwitch.h"

using namespace xfmr;

std::optional<MoeRoute> xfmr::parseMoeRoute(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<MoeRoute>>(text)
      .Case("auto", MoeRoute::Auto)
      .Case("grouped", MoeRoute::Grouped)
      .Case("by-id", MoeRoute::ById)
      .Default(std::nullopt);
}

MoeRoute xfmr::chooseMoeRoute(MoeRoute forced, uint64_t rows, uint64_t experts, uint64_t topK) {
  if (forced != MoeRoute::Auto)
    return forced;
  return codegen::groupedPays(rows, experts, topK) ? MoeRoute::Grouped : MoeRoute::ById;
}
