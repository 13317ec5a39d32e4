// Families whose routing is understood but whose frame the dialect cannot express yet: Switch (encoder and decoder). The
// configuration's routing is read and checked; the refusal says what is missing and names the rule that was read.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace xfmr {

static void refuseBeyondRouting(ImportContext &context, const std::string &key, const std::string &what,
                                const RoutingRule &rule) {
  if (context.config.failed())
    return;
  std::string text;
  llvm::raw_string_ostream(text) << what << "; its routing is " << rule.attribute(context.mlir);
  context.config.refuse(key, text);
}

Value importSwitch(ImportContext &context) {
  const int64_t capacity = context.config.size("expert_capacity", 64);
  refuseBeyondRouting(context, "model_type", "is an encoder with a decoder, which is not supported",
                      switchRouting(capacity));
  return {};
}

} // namespace xfmr
