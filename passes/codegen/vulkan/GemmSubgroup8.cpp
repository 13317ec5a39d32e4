// subgroup_size_8 + subgroup_shuffle + texel_buffers: for software drivers, where a load costs as much as a
// dozen multiply-adds and workgroup memory is no faster than any other. A subgroup takes 32 rows of X
// times 32 rows of W, a lane four rows of W and all 32 rows of X: every lane fetches other rows of X
// and broadcasts give them to all, so eight texels feed 512 multiply-adds. No workgroup memory,
// no barrier, and one loop at the top level: such drivers compute a mask for every value that is
// carried through nested control flow.
#include "passes/codegen/vulkan/CodePanels.h"
#include "passes/codegen/vulkan/GemmVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::gemm {
namespace {

constexpr uint32_t kLanes = 8;
constexpr uint32_t kColumns = 4; // rows of W a lane takes
constexpr uint32_t kGroups = 4;  // groups of eight rows of X, one row a lane
constexpr uint32_t kSide = kLanes * kColumns;
static_assert(kSide == kLanes * kGroups && kTile == 2 * kSide);

void build(KernelBuilder &k, const GemmSpec &spec) {
  EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
  Buffer x = k.buffer("x"), weight = k.buffer("weight");
  k.readAsTexels(x);
  k.readAsTexels(weight);
  Value count = k.buffer("state")[state::kCount], chunks = k.push(kChunks);
  Value firstRow = k.groupY() * kTile + k.subgroup() / 2 * kSide;
  Value firstColumn = k.groupX() * kTile + k.subgroup() % 2 * kSide + k.lane() * kColumns;
  Value weightRows = ((k.push(kN) + 7) >> 3) << 3;
  Value live = select(firstRow < count, chunks * 2, k.u32(0)); // quads to walk over

  // Lanes beyond the weight repeat its last rows; their sums are not stored.
  Values weightStart, xStart;
  for (uint32_t j = 0; j < kColumns; ++j)
    weightStart.push_back(min(firstColumn + j, weightRows - 1) * chunks);
  for (uint32_t g = 0; g < kGroups; ++g) {
    Value row = min(firstRow + g * kLanes + k.lane(), count - 1);
    xStart.push_back((k.push(kXOffset) + row * k.push(kXStride)) >> 2);
  }

  std::optional<CodePanels> panels;
  CodePanels::Place place;
  if (schemeOf(spec.weight)) {
    panels.emplace(k, weight, spec.weight, chunks);
    place = panels->place(min(firstColumn / 4, CodePanels::quads(weightRows) - 1));
  }

  Values sums(kSide, k.zero4()); // [row of X], lanes of the vector are the four rows of W
  sums = k.loop(k.u32(0), live, k.u32(1), sums, [&](Value quad, llvm::ArrayRef<Value> in) {
    Values out(in.begin(), in.end()), w = panels ? panels->rows(place, quad) : Values();
    for (uint32_t j = 0; !panels && j < kColumns; ++j)
      w.push_back(loadWeights4(weight, spec.weight, weightStart[j] * 2 + quad));
    for (uint32_t g = 0; g < kGroups; ++g) {
      Value own = x[xStart[g] + quad];
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        Value row = k.broadcast(own, lane), &s = out[g * kLanes + lane];
        s = k.vector4(dot(row, w[0], s[0]), dot(row, w[1], s[1]), dot(row, w[2], s[2]),
                      dot(row, w[3], s[3]));
      }
    }
    return out;
  });

  Value block = firstColumn / 4, outBlocks = epilogue.outBlocks(k.push(kN)),
        weightBlocks = weightRows / 4;
  Value rows = select(firstRow < count, min(count - firstRow, k.u32(kSide)), k.u32(0));
  k.rotate(rows, sums, [&](Value i, Value rowSums) {
    Value row = firstRow + i;
    k.when(block < outBlocks, [&] {
      Value at = epilogue.elements(k.push(kOutOffset) + row * k.push(kOutStride)) + block;
      epilogue.store(at, rowSums, block, row, weightBlocks);
    });
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context, const GemmSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec), {4 * kLanes, 1, 1});
  build(k, spec);
  return k.finish({"subgroup_size_8", "subgroup_shuffle"});
}

} // namespace xfmr::codegen::gemm
