// The choices of Choice.h.
#include "passes/codegen/Choice.h"
#include <cmath>

namespace xfmr::codegen {
namespace {
constexpr double kComputePerEntry = 0.25; // of reading an expert once
constexpr double kPlanAndCombine = 2.0;   // dispatches that the by-id route does not have

// Microseconds: a load and the barriers behind it; a dispatch with its barrier.
constexpr double kPassStart = 1.0, kDispatch = 5.0;
// Ids that a workgroup reads in a microsecond: of 512 invocations with eight vec4 under way each, and of 256 that wait for one.
constexpr double kWholeIds = 8000, kSliceIds = 2000;
// Passes of a whole draw: the best, 16 and a sum for each cut, and two for the draw. To sum over one slice more is a load among several.
constexpr double kWholePasses = 1 + 2 * 17 + 2, kSumASlice = 0.05;
} // namespace

double expertsTouched(double entries, double experts) { return experts * (1.0 - std::pow(1.0 - 1.0 / experts, entries)); }

RouteCost routeCost(uint64_t rows, uint64_t experts, uint64_t topK) {
  double entries = static_cast<double>(rows) * static_cast<double>(topK);
  double touched = expertsTouched(entries, static_cast<double>(experts));
  return {touched + kComputePerEntry * entries + kPlanAndCombine, entries};
}

bool groupedPays(uint64_t rows, uint64_t experts, uint64_t topK) {
  RouteCost cost = routeCost(rows, experts, topK);
  return cost.grouped < cost.byId;
}

uint64_t mostRowsById(uint64_t limit, uint64_t experts, uint64_t topK) {
  uint64_t rows = 0; // the routes cross once
  while (rows < limit && !groupedPays(rows + 1, experts, topK))
    ++rows;
  return rows;
}

uint32_t moeTileRows(uint64_t entries, uint32_t experts) {
  const uint64_t mean = (entries + experts - 1) / experts;
  return mean <= 8 ? 8 : mean <= 16 ? 16 : mean <= 48 ? 32 : 64;
}

uint32_t routerRows(uint32_t experts, uint32_t maxRows) {
  return maxRows < 16 || experts > 128 ? 1 : 4;
}

bool routerSpreads(uint32_t experts, uint32_t maxRows) { return maxRows == 1 && experts > kRouterExperts; }

SampleCost sampleCost(uint32_t vocab, uint32_t slice) {
  const double slices = (vocab + slice - 1) / slice;
  return {kWholePasses * (kPassStart + vocab / kWholeIds),
          (kCutRounds + 2) * (kDispatch + kPassStart + slice / kSliceIds + kSumASlice * slices)};
}

uint32_t sampleSlice(uint32_t vocab) {
  uint32_t best = 0;
  double least = sampleCost(vocab, kMostSlice).whole;
  for (uint32_t slice = kMostSlice; slice >= kMostSlice / 4; slice /= 2)
    if (const double cost = sampleCost(vocab, slice).sliced; cost < least)
      least = cost, best = slice;
  return best;
}

static bool tilesAreWide(uint64_t weightRows, uint64_t lines) {
  return (weightRows + kWideTile - 1) / kWideTile * lines >= kEnoughWideTiles;
}

bool tilesAreWide(const GemmParams &p) { return tilesAreWide(paddedWidth(p.n), (uint64_t(p.maxRows) + kGemmTile - 1) / kGemmTile); }

bool tilesAreWide(const MoeGemmSpec &spec, const MoeGemmParams &p) {
  const uint64_t entries = uint64_t(p.layout.maxRows) * p.layout.topK, experts = p.layout.experts,
                 ofAnExpert = (entries + experts - 1) / experts;
  return tilesAreWide(p.n, (ofAnExpert + spec.tileRows - 1) / spec.tileRows * std::min<uint64_t>(experts, p.part.experts));
}

LatentCost latentCost(const LatentExpandParams &shape, uint64_t rows) {
  const double keys = (static_cast<double>(shape.maxContext) + static_cast<double>(rows)) / 2, heads = shape.numHeads;
  const double product = heads * shape.outputs() * shape.latentDim; // of a row
  const double pairs = static_cast<double>(rows) * (keys - static_cast<double>(rows) / 2) * 2 * heads; // scores and sums, a column
  return {static_cast<double>(rows) * product + pairs * shape.rowDim(), keys * product + pairs * shape.headDim};
}

uint64_t expandedBytes(const LatentExpandParams &shape, CacheType heads) {
  const uint64_t positions = (uint64_t(shape.maxContext) + cpu::kPanel - 1) / cpu::kPanel * cpu::kPanel;
  return 2 * shape.numHeads * positions * shape.headDim * cacheElementBytes(heads);
}

bool expandingPays(const LatentExpandParams &shape, CacheType heads, uint64_t rows, uint64_t mostBindingBytes) {
  const LatentCost cost = latentCost(shape, rows);
  const uint64_t bytes = expandedBytes(shape, heads);
  return cost.expanded < cost.absorbed && bytes <= kMostExpandedBytes && bytes / 2 <= mostBindingBytes;
}

namespace cpu {
namespace {
constexpr uint32_t kRouterRows = 4;

// The heads of a key/value head, and the columns they write.
uint64_t groupColumns(uint32_t numHeads, uint32_t numKvHeads, uint32_t headDim) {
  return uint64_t(numHeads / numKvHeads) * headDim;
}
} // namespace

uint32_t rowsEach(const AttentionPrefillParams &p) {
  return std::max(1u, std::min(kMostQueries / (p.numHeads / p.numKvHeads), p.maxRows));
}
uint32_t headsEach(const AttentionDecodeSpec &spec, const AttentionDecodeParams &p) {
  uint32_t heads = p.numHeads / p.numKvHeads;
  while (spec.latent && heads > kLatentHeads)
    heads = heads % 2 ? 1 : heads / 2;
  return heads;
}
uint64_t rowsEach(const ElementwiseParams &p) { return rowsATile(p.width); }
uint64_t rowsEach(const MoeCombineParams &p) { return rowsATile(uint64_t(p.width) * (p.topK + 1)); }
uint32_t rowsEach(const MoeRouterParams &p) { return std::min(kRouterRows, p.maxRows); }
uint64_t rowsEach(const NormParams &p) { return rowsATile(uint64_t(p.width) * p.groups); }
uint64_t rowsEach(const RopeCacheParams &p) { return rowsATile(uint64_t(p.numHeads + 2 * p.numKvHeads) * p.headDim); }
uint64_t rowsEach(const RowCodesParams &p) { return rowsATile(p.width); }
uint64_t rowsEach(const RowPairsParams &p) { return rowsATile(p.width); }
uint64_t rowsEach(const TopKSpec &spec, const TopKParams &p) { return rowsATile(uint64_t(p.width) * spec.top); }

bool pairsPay(WeightType weight, uint32_t n, uint32_t k, uint32_t experts) {
  constexpr uint64_t kLeastReaders = 4;
  return weight == WeightType::BF16 && k >= kLeastDotColumns && uint64_t(outputTiles(n)) * experts >= kLeastReaders;
}

uint32_t xTiles(const MoeGemmSpec &, const MoeGemmParams &p) { return outputTiles(p.n); }

Tile tileOf(const AttentionCombineSpec &spec, const AttentionCombineParams &p) { return {1, spec.headDim, p.numHeads}; }

Tile tileOf(const AttentionDecodeSpec &spec, const AttentionDecodeParams &p) {
  return {1, uint64_t(headsEach(spec, p)) * spec.headDim,
          uint64_t(p.numHeads / headsEach(spec, p)) * (spec.single ? 1 : decodeSplits(p.maxContext))};
}

Tile tileOf(const AttentionPrefillSpec &spec, const AttentionPrefillParams &p) {
  return {rowsEach(p), groupColumns(p.numHeads, p.numKvHeads, spec.headDim),
          tilesOfRows(p.maxRows, rowsEach(p)) * p.numKvHeads};
}

Tile tileOf(const ElementwiseSpec &spec, const ElementwiseParams &p) {
  if (spec.op == ElementwiseOp::LastRow)
    return {1, p.width, 1};
  return {rowsEach(p), p.width, tilesOfRows(p.maxRows, rowsEach(p))};
}

Tile tileOf(const EmbeddingSpec &, const EmbeddingParams &p) { return {1, p.width, p.maxRows}; }

Tile tileOf(const GemmSpec &, const GemmParams &p) {
  return {kGemmRows, kTileOutputs, outputTiles(p.n) * tilesOfRows(p.maxRows, kGemmRows)};
}

Tile tileOf(const HeadProductSpec &, const HeadProductParams &p) {
  return {kGemmRows, kTileOutputs, uint64_t(outputTiles(p.n)) * p.numHeads * tilesOfRows(p.maxRows, kGemmRows)};
}

Tile tileOf(const LatentExpandSpec &, const LatentExpandParams &p) {
  return {kGemmRows, kTileOutputs, uint64_t(outputTiles(p.outputs())) * p.numHeads * tilesOfRows(p.maxContext, kGemmRows)};
}

Tile tileOf(const GemvSpec &, const GemvParams &p) { return {1, kTileOutputs, outputTiles(p.n)}; }

Tile tileOf(const MoeCombineSpec &, const MoeCombineParams &p) {
  return {rowsEach(p), p.width, tilesOfRows(p.maxRows, rowsEach(p))};
}

Tile tileOf(const MoeGemmSpec &spec, const MoeGemmParams &p) {
  return {spec.tileRows, kTileOutputs, uint64_t(xTiles(spec, p)) * p.layout.maxTiles()};
}

Tile tileOf(const MoeGemvSpec &spec, const MoeGemvParams &p) {
  const uint64_t rows = spec.product == MoeProduct::First ? uint64_t(p.maxRows) * p.topK : p.maxRows;
  return {1, kTileOutputs, rows * outputTiles(p.n)};
}

Tile tileOf(const MoePlanSpec &, const MoePlanParams &p) { return {p.layout.maxRows, p.layout.topK, 1}; }

Tile tileOf(const MoeRouterSpec &spec, const MoeRouterParams &p) {
  return {rowsEach(p), spec.experts, tilesOfRows(p.maxRows, rowsEach(p))};
}

Tile tileOf(const NormSpec &spec, const NormParams &p) {
  const uint64_t columns = uint64_t(p.width) * p.groups;
  return spec.lastRow ? Tile{1, columns, 1} : Tile{rowsEach(p), columns, tilesOfRows(p.maxRows, rowsEach(p))};
}

Tile tileOf(const RopeCacheSpec &, const RopeCacheParams &p) {
  return {rowsEach(p), uint64_t(p.numHeads + 2 * p.numKvHeads) * p.headDim, tilesOfRows(p.maxRows, rowsEach(p))};
}

Tile tileOf(const RowCodesSpec &, const RowCodesParams &p) {
  return {rowsEach(p), p.width, tilesOfRows(uint64_t(p.maxRows) * p.rowsAToken, rowsEach(p))};
}

Tile tileOf(const RowPairsSpec &, const RowPairsParams &p) {
  return {rowsEach(p), p.width, tilesOfRows(uint64_t(p.maxRows) * p.rowsAToken, rowsEach(p))};
}

Tile tileOf(const SampleSpec &, const SampleParams &p) { return {1, p.vocab, 1}; }

Tile tileOf(const TopKSpec &spec, const TopKParams &p) {
  return {rowsEach(spec, p), 2 * uint64_t(spec.top), tilesOfRows(p.maxRows, rowsEach(spec, p))};
}

} // namespace cpu
} // namespace xfmr::codegen
