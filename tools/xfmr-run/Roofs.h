// What the machine can do, beside what a model needs: one place that knows which roof a dispatch stands under.
#pragma once
#include "runtime/roofline/Roofline.h"
#include "tools/xfmr-run/Handles.h"

namespace xfmr::run {

/// Sums over dispatches: what they had to do and how fast the machine could do it at best.
struct Needs {
  double operations = 0, weightBytes = 0, cacheBytes = 0;
  double arithmeticSeconds = 0; // at the peak of each matrix's type; 0 without roofs
  double memorySeconds = 0;     // at the bandwidth
  double roofSeconds = 0;       // of each dispatch the longer of both
  double bytes() const { return weightBytes + cacheBytes; }
};

class Roofs {
public:
  /// Measures what the model's threads can do; a device that is not the CPU has no roofs.
  static Roofs measure(const ModelHandle &model);

  bool known() const { return bandwidth_ > 0; }
  void add(const xfmr_dispatch_run &run, Needs &needs) const;
  double bandwidth() const { return bandwidth_; } // bytes a second
  /// Operations a second under which products of matrices of `weights` stand: bf16 has instructions of its own where the CPU
  /// has them, f32 and f16 are multiplied in f32; those of codes ("q8", "q4") stand under int8 at every level.
  double peak(const char *weights) const;
  /// "2 threads: 48.2 GB/s, 236 GFLOP/s f32, 471 bf16, 940 int8".
  std::string text() const;

private:
  double bandwidth_ = 0, f32_ = 0, bf16_ = 0, int8_ = 0;
  uint32_t threads_ = 0;
};

} // namespace xfmr::run
