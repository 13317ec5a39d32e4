// Products of a row of x with four rows of a weight by one subgroup, for gemv and moe_gemv: all lanes lie along the
// columns, eight columns (16 bytes of a 16-bit weight) a load, so that a subgroup reads a row in one stream, and two to
// four loads of each row (1024 columns of 32 or 64 lanes) are under way before a lane waits. Their sums meet in
// registers: no workgroup memory, no barrier.
// Needs subgroup_arithmetic.
#pragma once
#include "passes/codegen/vulkan/Operands.h"

namespace xfmr::codegen {

// The sum over all lanes of a subgroup, in all of them. Every lane must come here.
Value subgroupSum(Value value);

struct SubgroupRows {
  static constexpr uint32_t kRows = 4; // a block: what an epilogue takes

  KernelBuilder &k;
  WeightType weight;
  uint32_t lanes;       // of a subgroup
  Value xStart;         // of the row, in vec4
  Values weightStart;   // of the four rows, in chunks
  bool rmsNorm = false; // x is multiplied by the buffer `norm`, and its squares are summed up
  bool unitOffset = false;

  // `sums` plus this lane's share of the columns of chunks 0 .. end - 1: a vec4 a row, with rmsNorm one more of squares.
  // `end` is the same in all lanes.
  Values accumulate(Value end, const Values &sums) const;
  // Those shares added up: the vec4 of the four rows, in all lanes.
  static Value total(const Values &sums);

private:
  Values step(Value first, uint32_t chunks, llvm::ArrayRef<Value> sums) const;
};

// Variants of gemv and moe_gemv for subgroups of `lanes`, one block of four rows a subgroup, as many subgroups a
// workgroup as it has blocks.
struct GemvSpec;
struct MoeGemvSpec;
llvm::Expected<BuiltKernel> buildSubgroup(mlir::MLIRContext &context, const GemvSpec &spec, uint32_t lanes);
llvm::Expected<BuiltKernel> buildSubgroup(mlir::MLIRContext &context, const MoeGemvSpec &spec, uint32_t lanes);

// What such a variant requires of a device, with workgroups of so many invocations.
std::vector<std::string> subgroupFeatures(uint32_t lanes, uint32_t invocations);

} // namespace xfmr::codegen
