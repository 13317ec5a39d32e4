// See AttentionState.h.
#include "tools/xfmr-inspect/AttentionState.h"
#include "weights/DistinctElements.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace xfmr::inspect {

static int64_t widthOf(Value activations) { return cast<RankedTensorType>(activations.getType()).getDimSize(1); }

namespace {

/// The vectors that keys and values are linear in, back from them through rotation and sums.
class Sources {
public:
  void follow(Value value) {
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<RopeOp, ScaleOp>(op))
      return follow(op->getOperand(0));
    if (auto add = dyn_cast_or_null<AddOp>(op)) {
      follow(add.getLhs());
      return follow(add.getRhs());
    }
    auto linear = dyn_cast_or_null<LinearOp>(op);
    if (linear && isLatent(linear.getInput())) {
      if (latents.insert(linear.getInput()).second)
        elements += widthOf(linear.getInput());
    } else if (linear) {
      elements += distinctRows(linear.getWeight());
    } else {
      elements += widthOf(value);
    }
  }

  int64_t elements = 0;

private:
  /// The norm of a projection.
  static bool isLatent(Value value) {
    auto norm = value.getDefiningOp<RmsNormOp>();
    return norm && norm.getInput().getDefiningOp<LinearOp>();
  }
  llvm::SmallPtrSet<Value, 2> latents;
};

} // namespace

int64_t keptElements(AttentionOp attention) {
  if (!attention.getCausal()) // a text is read at once: nothing of it is kept
    return 0;
  Sources sources;
  sources.follow(attention.getKey());
  sources.follow(attention.getValue());
  // The branch of an adapter is a further source of the same entries.
  return std::min(sources.elements, widthOf(attention.getKey()) + widthOf(attention.getValue()));
}

int64_t contextOperations(AttentionOp attention) {
  const int64_t heads = attention.getNumHeads(), groups = attention.getNumKvHeads();
  int64_t valueEntries = widthOf(attention.getValue());
  if (auto linear = attention.getValue().getDefiningOp<LinearOp>())
    valueEntries = std::min(valueEntries, distinctRows(linear.getWeight()));
  return 2 * heads * int64_t(attention.getHeadDim()) + 2 * heads / groups * valueEntries;
}

} // namespace xfmr::inspect
