// Which way a mixture goes: grouped (sort rows by expert, matrix products by tiles) or by id (a matrix-vector
// product for each row and chosen expert). A pure function of sizes, tested without a device.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// "auto", "grouped" or "by-id".
std::optional<MoeRoute> parseMoeRoute(llvm::StringRef text);

/// Costs of a layer for `rows` tokens, in units of reading one expert's weights once.
struct MoeCost {
  double grouped, byId;
};

/// By id every (row, slot) reads its expert: rows * topK. Grouped, each expert that some row chose is read once,
/// E (1 - (1 - 1/E)^(rows topK)) of them if rows choose evenly; products in tiles still compute for each entry,
/// at about a quarter of a read; and the plan and the combination cost two dispatches with their barriers.
MoeCost moeCost(uint64_t rows, uint64_t experts, uint64_t topK);

/// The most rows, up to `limit`, for which the by-id route is the cheaper one; 0: for none.
uint64_t mostRowsById(uint64_t limit, uint64_t experts, uint64_t topK);

/// The cheaper route, or the forced one.
MoeRoute chooseMoeRoute(MoeRoute forced, uint64_t rows, uint64_t experts, uint64_t topK);

} // namespace xfmr
