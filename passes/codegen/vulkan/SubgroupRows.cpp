// Loops over the columns of four rows by one subgroup; see SubgroupRows.h.
#include "passes/codegen/vulkan/SubgroupRows.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include <algorithm>

namespace xfmr::codegen {

namespace spirv = mlir::spirv;

Value subgroupSum(Value value) {
  return detail::wrap(value, spirv::GroupNonUniformFAddOp::create(detail::ops(value), value.value.getType(),
                                                                  spirv::Scope::Subgroup, spirv::GroupOperation::Reduce,
                                                                  value.value, /*cluster_size=*/mlir::Value()));
}

Values SubgroupRows::accumulate(Value end, const Values &sums) const {
  // Whole spans are the same number of steps for all lanes; what is left goes chunk by chunk.
  const uint32_t unroll = std::min(4u, 128 / lanes), span = unroll * lanes;
  Value whole = end / span * span;
  Values partly = k.loop(k.u32(0), whole, k.u32(span), sums,
                         [&](Value start, llvm::ArrayRef<Value> in) { return step(start + k.lane(), unroll, in); });
  return k.loop(whole + k.lane(), end, k.u32(lanes), partly,
                [&](Value chunk, llvm::ArrayRef<Value> in) { return step(chunk, 1, in); });
}

Values SubgroupRows::step(Value first, uint32_t chunks, llvm::ArrayRef<Value> sums) const {
  using Pair = std::pair<Value, Value>;
  Buffer x = k.buffer("x"), w = k.buffer("weight");
  llvm::SmallVector<Pair> xs, norms, weights; // loaded before anything is used
  for (uint32_t c = 0; c < chunks; ++c) {
    Value chunk = first + c * lanes;
    for (uint32_t r = 0; r < kRows; ++r)
      weights.push_back(loadWeights8(w, weight, weightStart[r] + chunk));
    xs.push_back({x[xStart + chunk * 2], x[xStart + chunk * 2 + 1]});
    if (rmsNorm)
      norms.push_back({k.buffer("norm")[chunk * 2], k.buffer("norm")[chunk * 2 + 1]});
  }
  Values next(sums.begin(), sums.end());
  for (uint32_t c = 0; c < chunks; ++c) {
    auto [low, high] = xs[c];
    if (rmsNorm) {
      next[kRows] = fma(low, low, fma(high, high, next[kRows]));
      auto [g, h] = norms[c];
      low = low * (unitOffset ? g + 1 : g);
      high = high * (unitOffset ? h + 1 : h);
    }
    for (uint32_t r = 0; r < kRows; ++r) {
      auto [w0, w1] = weights[c * kRows + r];
      next[r] = fma(w1, high, fma(w0, low, next[r]));
    }
  }
  return next;
}

Value SubgroupRows::total(const Values &sums) {
  KernelBuilder &k = *sums[0].builder;
  return k.vector4(subgroupSum(sum(sums[0])), subgroupSum(sum(sums[1])), subgroupSum(sum(sums[2])),
                   subgroupSum(sum(sums[3])));
}

// Every device takes workgroups of 128.
std::vector<std::string> subgroupFeatures(uint32_t lanes, uint32_t invocations) {
  std::vector<std::string> features = {"subgroup_size_" + std::to_string(lanes), "subgroup_arithmetic"};
  if (invocations > 128)
    features.push_back("workgroup_" + std::to_string(invocations));
  return features;
}

} // namespace xfmr::codegen
