// How many tokens of a generation go into one submission: about as many as the engine's pace asks for, by the time that
// earlier ones took. The first id comes alone, so that it appears at once.
#pragma once
#include <algorithm>
#include <cstdint>

namespace xfmr::session {

/// Tokens of the largest submission of a generation.
constexpr uint32_t kMaxBatch = 64;

class BatchSize {
public:
  explicit BatchSize(double batchSeconds) : batchSeconds_(batchSeconds) {}

  /// For the next submission. At most twice the last one: a measurement may be wrong.
  uint32_t next() {
    double fits = secondsPerToken_ > 0 ? batchSeconds_ / secondsPerToken_ : 1;
    uint32_t most = std::min(kMaxBatch, 2 * last_);
    last_ = fits >= most ? most : std::max(1u, static_cast<uint32_t>(fits));
    return last_;
  }
  /// `tokens` tokens took `seconds` from the end of what ran before them.
  void measured(uint32_t tokens, double seconds) { secondsPerToken_ = seconds / tokens; }

private:
  double batchSeconds_, secondsPerToken_ = 0;
  uint32_t last_ = 1;
};

} // namespace xfmr::session
