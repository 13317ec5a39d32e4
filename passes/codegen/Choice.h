// What is chosen by shape, before any code is built: pure functions from specs and params to numbers, tested without IR
// or a device. Builders carry the choice out, the serialiser writes the number of tiles, `xfmr-compile --verbose` prints
// both. What a kernel may be asked at all is its contract (X.h); what it costs is Cost.h.
#pragma once
#include "passes/codegen/AllKernels.h"
#include <algorithm>

namespace xfmr::codegen {

// --- Mixtures: the way rows meet their experts ---

// Costs of a layer for `rows` tokens, in units of reading one expert's weights once.
struct RouteCost {
  double grouped, byId;
};

// By id every (row, slot) reads its expert: rows * topK. Grouped, each expert that some row chose is read once,
// expertsTouched() of them if rows choose evenly; products in tiles still compute for each entry, at about a quarter of a
// read; and the plan and the combination cost two dispatches with their barriers.
RouteCost routeCost(uint64_t rows, uint64_t experts, uint64_t topK);
// How many of E experts `entries` choices touch if they fall evenly: E (1 - (1 - 1/E)^entries).
double expertsTouched(double entries, double experts);
// Whether the grouped route is the cheaper one.
bool groupedPays(uint64_t rows, uint64_t experts, uint64_t topK);
// The most rows, up to `limit`, for which the by-id route is the cheaper one; 0: for none.
uint64_t mostRowsById(uint64_t limit, uint64_t experts, uint64_t topK);

// The rows a tile of the plan should have when `entries` (rows * topK) spread over `experts`: half-empty tiles waste
// invocations, small ones reread the weight.
uint32_t moeTileRows(uint64_t entries, uint32_t experts);
// The rows a workgroup of the router should take in a phase of maxRows, so that the tables of E experts fit.
uint32_t routerRows(uint32_t experts, uint32_t maxRows);

// Whether the experts of a single row are spread over workgroups of kRouterExperts: more than one of them.
bool routerSpreads(uint32_t experts, uint32_t maxRows);

// --- Sampling: workgroups of a GPU that look at one row of logits ---

// Microseconds that a draw with top-k and top-p takes.
struct SampleCost {
  double whole, sliced;
};

// The whole in one workgroup is a pass over the vocabulary for each two bits of both cuts and some besides; in slices it is
// kCutRounds + 2 dispatches, each with a pass over a slice and a sum over the slices.
SampleCost sampleCost(uint32_t vocab, uint32_t slice);
// Ids of the slices for which a draw is the fastest; 0: one workgroup is faster.
uint32_t sampleSlice(uint32_t vocab);

// --- Matrix units: tiles of a product of several rows (vulkan/MatrixTile.h) ---

constexpr uint32_t kWideTile = 256; // rows of the weight that a wide tile has, where a narrow one has 64
// Wide tiles that a product must have to be computed by them: about a multiprocessor's worth each, so that few idle.
constexpr uint32_t kEnoughWideTiles = 96;
// Whether a dispatch over all its rows has them; of a mixture's product, with entries that fall evenly on the experts. Fewer rows may
// have too few: kernels decide for the rows they find.
bool tilesAreWide(const GemmParams &params);
bool tilesAreWide(const MoeGemmSpec &spec, const MoeGemmParams &params);

// --- Latent attention: what prefill attends over (docs/LatentAttention.md) ---

// Multiply-adds of a chunk of rows and a layer, products of heads included.
struct LatentCost {
  double absorbed, expanded;
};

// For a chunk that ends in the middle of the positions it may end at, N of them: absorbed, queries and sums go through a product
// and every score and sum has the width of a row of the cache; expanded, the rows of all N positions go through the product
// and scores and sums have the width of a head.
LatentCost latentCost(const LatentExpandParams &shape, uint64_t rows);
// Keys and values of all heads and positions, which no layer keeps from another.
uint64_t expandedBytes(const LatentExpandParams &shape, CacheType heads);
// The most of them that expanding may take.
constexpr uint64_t kMostExpandedBytes = uint64_t(512) << 20;
// Whether keys and values are expanded: it is cheaper and they fit, each into `mostBindingBytes`.
bool expandingPays(const LatentExpandParams &shape, CacheType heads, uint64_t rows, uint64_t mostBindingBytes);

namespace cpu {

// --- The CPU: what threads share a dispatch by ---

constexpr unsigned kPanel = 16;     // rows of W in a panel (weights/Encoding.h)
constexpr uint32_t kTilePanels = 4; // panels in a tile of a product
constexpr uint32_t kTileOutputs = kTilePanels * kPanel;
constexpr uint32_t kGemmRows = 96; // rows of X in a tile of gemm
// Rows of a tile of the plan: the most there are, for rows that are not there cost nothing here.
constexpr uint32_t kMoeTileRows = 128;

constexpr uint32_t panelsOf(uint32_t n) { return (n + kPanel - 1) / kPanel; }
constexpr uint32_t outputTiles(uint32_t n) { return (panelsOf(n) + kTilePanels - 1) / kTilePanels; }

// Queries that one walk over the keys serves at most; what they need on the stack stays below 200 KB, with heads of latent attention
// below 500 KB.
constexpr uint32_t kMostQueries = 48;
// Heads a tile of decoding takes of the one key head of latent attention, about: else a short context were the work of one thread.
constexpr uint32_t kLatentHeads = 16;

// Rows a tile takes, so that handing it out costs little beside it.
constexpr uint64_t rowsATile(uint64_t rowElements) {
  constexpr uint64_t kElements = 8192;
  return rowElements >= kElements ? 1 : kElements / (rowElements ? rowElements : 1);
}
constexpr uint64_t tilesOfRows(uint64_t maxRows, uint64_t rowsEach) { return (maxRows + rowsEach - 1) / rowsEach; }

// The rows a tile of the kernels over rows takes.
uint32_t rowsEach(const AttentionPrefillParams &params);
// The query heads a tile of attention_decode takes: those of a key head, of latent attention some of all.
uint32_t headsEach(const AttentionDecodeSpec &spec, const AttentionDecodeParams &params);
uint64_t rowsEach(const ElementwiseParams &params);
uint64_t rowsEach(const MoeCombineParams &params);
uint32_t rowsEach(const MoeRouterParams &params);
uint64_t rowsEach(const NormParams &params);
uint64_t rowsEach(const RopeCacheParams &params);
uint64_t rowsEach(const RowCodesParams &params);
uint64_t rowsEach(const RowPairsParams &params);
uint64_t rowsEach(const TopKSpec &spec, const TopKParams &params);

// Whether a product of several rows with n outputs of k columns reads its rows as row_pairs leaves them, where a level multiplies by
// dots of bf16: each tile of outputs would round them again, and rounding them once is a pass over them and a barrier. Of a mixture a
// row goes to `experts`.
bool pairsPay(WeightType weight, uint32_t n, uint32_t k, uint32_t experts = 1);

// A piece of a dispatch that one thread does: so many rows and columns of what is written, and how many pieces there
// are. The same at every level; a tile depends on no other and takes some ten microseconds. Dispatches that take their
// grid from a buffer (moe_gemm) have as many as that grid says, `count` at most.
struct Tile {
  uint64_t rows = 1, columns = 0, count = 1;
};
#define XFMR_TILE(Family) Tile tileOf(const Family##Spec &spec, const Family##Params &params);
XFMR_KERNELS(XFMR_TILE)
#undef XFMR_TILE

// The extent of a grouped product's grid in x on the CPU: what the plan needs (MoePlanParams::xGroups0 and 1).
uint32_t xTiles(const MoeGemmSpec &spec, const MoeGemmParams &params);

} // namespace cpu
} // namespace xfmr::codegen
