// subgroup_size_8 + subgroup_shuffle + texel_buffers: the scheme of GemmSubgroup8.cpp on the tiles of a plan. A subgroup takes up to
// 32 rows of one expert times 32 rows of its weight, every lane fetching other rows of X and broadcasting them. A
// tile's last rows go by a loop over one or two groups of eight instead of four, so that they cost what they are.
#include "passes/codegen/vulkan/CodePanels.h"
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/MoeGemmVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen::moe_gemm {
namespace {

constexpr uint32_t kLanes = 8;
constexpr uint32_t kColumns = 4; // rows of W a lane takes
constexpr uint32_t kSide = kLanes * kColumns;

// Groups of eight rows of X a subgroup takes, and subgroups along the rows of a tile.
uint32_t groupsOf(const MoeGemmSpec &spec) { return std::min(spec.tileRows / kLanes, 4u); }
uint32_t linesOf(const MoeGemmSpec &spec) { return spec.tileRows / (groupsOf(spec) * kLanes); }
uint32_t threadsOf(const MoeGemmSpec &spec) { return linesOf(spec) * (kTileN / kSide) * kLanes; }

class Tile {
public:
  Tile(KernelBuilder &k, const MoeGemmSpec &spec)
      : k(k), spec(spec), plan(k.buffer("plan")), x(k.buffer("x")), weight(k.buffer("weight")) {
    k.readAsTexels(x);
    k.readAsTexels(weight);
  }

  void build() {
    const uint32_t groups = groupsOf(spec);
    // Without a live tile there are no rows: loops end at once, nothing is stored.
    Value grid = k.push(kGridAt), live = (k.buffer("state")[state::kCount] != 0) & (k.groupY() < plan[grid + 1]);
    Value tile = k.push(kTilesAt) + select(live, plan[grid + 3] + k.groupY(), k.u32(0)) * 4, zero = k.u32(0);
    expert = select(live, plan[tile], zero);
    Value firstRow = k.subgroup() / (kTileN / kSide) * (groups * kLanes);
    Value inTile = select(live, plan[tile + 2], zero);
    rows = select(firstRow < inTile, min(inTile - firstRow, k.u32(groups * kLanes)), zero);
    begin = select(live, plan[tile + 1], zero) + firstRow;
    firstColumn = k.groupX() * kTileN + k.subgroup() % (kTileN / kSide) * kSide + k.lane() * kColumns;
    n = k.push(kN);
    for (uint32_t j = 0; j < kColumns; ++j) // lanes beyond the expert's last row repeat it and are masked
      weightStart.push_back(((expert - k.push(kFirstExpert)) * n + min(firstColumn + j, n - 1)) * k.push(kChunks) * 2);
    if (schemeOf(spec.weight)) {
      Value quads = CodePanels::quads(n);
      panels.emplace(k, weight, spec.weight, k.push(kChunks));
      place = panels->place((expert - k.push(kFirstExpert)) * quads + min(firstColumn / 4, quads - 1));
    }
    store(chooseLoop(groups));
  }

private:
  bool first() const { return spec.product == MoeProduct::First; }
  Value entryOf(Value row) { return plan[k.push(kSortedAt) + begin + row]; }

  // The loop over as many groups as there are rows for, filled up with zeros to `most`.
  Values chooseLoop(uint32_t most) {
    auto filled = [&](Values sums) {
      sums.resize(groupsOf(spec) * kLanes, k.zero4());
      return sums;
    };
    if (most == 1)
      return filled(accumulate(1));
    return k.choose(rows > k.u32(most / 2 * kLanes), [&] { return filled(accumulate(most)); },
                    [&] { return chooseLoop(most / 2); });
  }

  Values accumulate(uint32_t groups) {
    Values xStart, factor;
    for (uint32_t g = 0; g < groups; ++g) {
      Value row = min(k.lane() + g * kLanes, rows - 1), entry = entryOf(row);
      Value in = first() ? entry / k.push(kTopK) : begin + row;
      xStart.push_back((k.push(kXOffset) + in * k.push(kXStride)) >> 2);
      if (spec.weighted && first())
        factor.push_back(k.splat4(k.buffer("weights")[entry]));
    }
    Values sums(groups * kLanes, k.zero4()); // [row of X], lanes of the vector are the four rows of W
    Value quads = select(rows != 0, k.push(kChunks) * 2, k.u32(0));
    return k.loop(k.u32(0), quads, k.u32(1), sums, [&](Value quad, llvm::ArrayRef<Value> in) {
      Values out(in.begin(), in.end()), w = panels ? panels->rows(place, quad) : Values();
      for (uint32_t j = 0; !panels && j < kColumns; ++j)
        w.push_back(loadWeights4(weight, spec.weight, weightStart[j] + quad));
      for (uint32_t g = 0; g < groups; ++g) {
        Value own = x[xStart[g] + quad];
        if (spec.weighted && first())
          own = own * factor[g];
        for (uint32_t lane = 0; lane < kLanes; ++lane) {
          Value row = k.broadcast(own, lane), &s = out[g * kLanes + lane];
          s = k.vector4(dot(row, w[0], s[0]), dot(row, w[1], s[1]), dot(row, w[2], s[2]), dot(row, w[3], s[3]));
        }
      }
      return out;
    });
  }

  void store(const Values &sums) {
    const bool glu = spec.epilogue.glu;
    Value block = firstColumn / 4, outBlocks = glu ? (((n >> 1) + 7) >> 3) << 2 : ((n + 7) >> 3) << 1;
    Value one = k.f32(1), none = k.f32(0);
    Value mask = k.vector4(select(firstColumn < n, one, none), select(firstColumn + 1 < n, one, none),
                           select(firstColumn + 2 < n, one, none), select(firstColumn + 3 < n, one, none));
    k.rotate(rows, sums, [&](Value i, Value rowSums) {
      k.when(block < outBlocks, [&] {
        Value entry = entryOf(i), outRow = first() ? begin + i : entry;
        Value at = (k.push(kOutOffset) + outRow * k.push(kOutStride)) >> (glu ? 1.0 : 2.0);
        Value v = applyEpilogue(k, spec.epilogue, rowSums * mask, expert, block, k.push(kBiasQuads), k.pushFloat(kAlpha),
                                      k.pushFloat(kLimit));
        if (spec.weighted && !first())
          v = v * k.buffer("weights")[entry];
        k.buffer("out").store(at + block, v);
      });
    });
  }

  KernelBuilder &k;
  const MoeGemmSpec &spec;
  Buffer plan, x, weight;
  Value expert, rows, begin, firstColumn, n; // rows and begin of this subgroup's part of the tile
  Values weightStart;
  std::optional<CodePanels> panels; // of quantised weights
  CodePanels::Place place;
};

} // namespace

llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context, const MoeGemmSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec), {threadsOf(spec), 1, 1});
  Tile(k, spec).build();
  return k.finish({"subgroup_size_8", "subgroup_shuffle"});
}

} // namespace xfmr::codegen::moe_gemm
