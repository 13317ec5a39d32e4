// Which experts a mixture chooses on a text.
#pragma once

#include "passes/calibration/Forward.h"
#include "tools/xfmr-inspect/look/ExpertChannels.h"
#include "tools/xfmr-inspect/look/Look.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

class Router {
public:
  Router(int64_t layer, MoeOp mixture, const LookText &text, int64_t details);

  /// x [rows, D], the mixture's input on a batch of the text. With `channels` what each expert computes goes to them too,
  /// with the directions [rows, D] of the chosen logits at what the mixture gives, or null. Errors are emitted.
  mlir::LogicalResult add(const LookText &text, const LookBatch &batch, const MatrixF &x, Forward &forward,
                          ExpertChannels *channels = nullptr, const MatrixF *directions = nullptr);
  void finish(RouterLook &out) const;

private:
  mlir::LogicalResult evaluate(int64_t expert, const ExpertTokens &given, MatrixF rows, const LookBatch &batch, Forward &forward,
                               ExpertChannels *channels, const MatrixF *directions, MatrixF &result);

  MoeOp mixture_;
  RouterLook look_;
  std::vector<int64_t> rows_;              // [texts]
  std::vector<double> entropy_, saliency_; // [texts], [E]
  std::vector<double> counts_, weights_;   // [texts * E]
};

} // namespace xfmr::inspect
