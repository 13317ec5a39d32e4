// Which way a mixture goes: grouped (sort rows by expert, matrix products by tiles) or by id (a matrix-vector
// product for each row and chosen expert), by the cost model or as the user says.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// "auto", "grouped" or "by-id".
std::optional<MoeRoute> parseMoeRoute(llvm::StringRef text);

/// The route that pays (passes/codegen/Choice.h), or the forced one.
MoeRoute chooseMoeRoute(MoeRoute forced, uint64_t rows, uint64_t experts, uint64_t topK);

} // namespace xfmr
