// See Greedy.h.
#include "reference/Greedy.h"
#include <algorithm>

namespace xfmr::reference {

int64_t argmax(const double *values, int64_t count) {
  return std::max_element(values, values + count) - values; // the first of equal ones
}

Status generateGreedily(Interpreter &interpreter, llvm::ArrayRef<int32_t> source, llvm::ArrayRef<int32_t> prompt,
                        int64_t count, llvm::ArrayRef<int64_t> endTokens, Tensor *promptLogits,
                        llvm::function_ref<void(int32_t)> token) {
  Context context;
  context.source = source;
  Tensor logits;
  Status status = interpreter.extend(context, prompt, logits);
  if (status.ok() && promptLogits)
    *promptLogits = logits;
  for (int64_t i = 0; status.ok() && i < count; ++i) {
    const auto next = static_cast<int32_t>(argmax(logits.row(logits.rows() - 1), logits.columns()));
    if (llvm::is_contained(endTokens, next))
      break;
    token(next);
    if (i + 1 < count)
      status = interpreter.extend(context, next, logits);
  }
  return status;
}

} // namespace xfmr::reference
