// Which experts a mixture chooses on a text.
#pragma once

#include "passes/calibration/Forward.h"
#include "tools/xfmr-inspect/look/Look.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

class Router {
public:
  Router(int64_t layer, MoeOp mixture, const LookText &text, int64_t details);

  /// x [rows, D], the mixture's input on a batch of the text. Errors are emitted.
  mlir::LogicalResult add(const LookText &text, const LookBatch &batch, const MatrixF &x, Forward &forward);
  void finish(RouterLook &out) const;

private:
  MoeOp mixture_;
  RouterLook look_;
  std::vector<int64_t> rows_;              // [texts]
  std::vector<double> entropy_, saliency_; // [texts], [E]
  std::vector<double> counts_, weights_;   // [texts * E]
};

} // namespace xfmr::inspect
