// See Roofs.h.
#include "tools/xfmr-run/Roofs.h"
#include "runtime/cpu/Level.h"
#include <algorithm>
#include <cstring>

using namespace xfmr;
using namespace xfmr::run;

Roofs Roofs::measure(const ModelHandle &model) {
  Roofs roofs;
  const xfmr_model_details details = detailsOf(model);
  roofline::Options options;
  if (std::strcmp(details.engine, "cpu") != 0 || cpu::usableLevel(options.level).failed())
    return roofs;
  options.threads = roofs.threads_ = std::max(details.threads, 1u);
  const roofline::Roofline found = roofline::measure(options);
  roofs.bandwidth_ = found.bytesPerSecond();
  roofs.f32_ = found.operationsPerSecond(roofline::Operands::f32);
  roofs.bf16_ = found.operationsPerSecond(roofline::Operands::bf16);
  roofs.int8_ = found.operationsPerSecond(roofline::Operands::int8);
  return roofs;
}

double Roofs::peak(const char *weights) const {
  return std::strcmp(weights, "bf16") == 0 ? bf16_ : weights[0] == 'q' ? int8_ : f32_;
}

void Roofs::add(const xfmr_dispatch_run &run, Needs &needs) const {
  needs.operations += run.operations;
  needs.weightBytes += run.weight_bytes;
  needs.cacheBytes += run.cache_bytes;
  if (!known())
    return;
  const double arithmetic = run.operations / peak(run.weights), memory = (run.weight_bytes + run.cache_bytes) / bandwidth_;
  needs.arithmeticSeconds += arithmetic;
  needs.memorySeconds += memory;
  needs.roofSeconds += std::max(arithmetic, memory);
}

std::string Roofs::text() const {
  char text[160];
  std::snprintf(text, sizeof text, "%u threads: %.1f GB/s, %.0f GFLOP/s f32, %.0f bf16, %.0f int8", threads_, bandwidth_ * 1e-9,
                f32_ * 1e-9, bf16_ * 1e-9, int8_ * 1e-9);
  return text;
}
