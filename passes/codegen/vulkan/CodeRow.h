// A row of x times a quad of rows of codes, for gemv and moe_gemv, and how invocations share the work of a workgroup of eight quads
// (two panels):
//   lanes = 0   subgroup_size_8 + subgroup_shuffle + texel_buffers, for software drivers: an invocation has a quad and all columns.
//               Each fetches another vec4 of x, eight of which are a block, and broadcasts give them to all; no workgroup memory,
//               no barrier.
//   lanes = L   8 L invocations: a quad and every L-th block of columns; sums of the lanes meet in workgroup memory.
#pragma once
#include "passes/codegen/vulkan/CodePanels.h"

namespace xfmr::codegen {

class CodeRow {
public:
  static constexpr uint32_t kQuads = 8; // a workgroup

  static uint32_t invocations(uint32_t lanes) { return kQuads * (lanes ? lanes : 1); }
  static std::vector<std::string> features(uint32_t lanes);

  CodeRow(KernelBuilder &k, WeightType type, Value chunks, uint32_t lanes);

  // Quad of this invocation among those of the workgroup.
  Value quad() const { return lanes ? k.thread() & (kQuads - 1) : k.thread(); }

  // What a norm in front needs.
  struct Norm {
    Buffer weight;
    bool unitOffset;
  };
  // `total` plus this invocation's share of the products of the row of x that begins at vec4 `start` with quad `quad` of the matrix;
  // nothing unless `live`, which is the same in all invocations. With a norm x is multiplied by it, and `squares` grows.
  Value product(Value quad, Value start, Value live, Value total, const Norm *norm = nullptr,
                Value *squares = nullptr) const;

  // Shares added up: body(total, squares) runs for each quad, in its invocation `thread` < 8.
  void finish(Value total, Value squares, llvm::function_ref<void(Value total, Value squares)> body) const;

private:
  KernelBuilder &k;
  const uint32_t lanes;
  Value chunks;
  CodePanels panels;
  Buffer partial, partialSquares;
};

} // namespace xfmr::codegen
