// Finds attention that is latent attention written out (import/DeepSeek.cpp, docs/LatentAttention.md): keys of all heads are products
// of one vector of a token beside one part that they share, values products of the same vector.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// What an attention reads in its absorbed form; weights and the shared key's product are made in front of it.
struct LatentAttention {
  mlir::Value query;           // [T, H*(r+n)] before it turns
  mlir::Value key, latent;     // [T, r] before it turns, [T, c]
  mlir::Value upKey, upValue;  // [H, c, n], [H, r+n, c]
  RopeOp rope;                 // of the query
};

/// Nothing where the attention is another, or where its form has no kernels: sizes that are no multiples of 8, a latent beyond the
/// kernels', quantised up-projections. A remark says why where it is latent attention all the same.
std::optional<LatentAttention> findLatentAttention(AttentionOp op);

/// Numbers that a compiled model keeps of a token for this attention: the row of a latent, or keys and values of all heads.
int64_t compiledCacheElements(AttentionOp op);

} // namespace xfmr
