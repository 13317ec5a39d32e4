// What attention keeps of a token, and what it computes with it.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr::inspect {

/// Numbers that must be kept of a token so that later tokens can attend to it. Usually its keys and values, 2 K h.
/// Latent attention (DeepSeek) projects both from one normed vector and one part of the key that all heads share: then
/// these are kept, kv_lora_rank + qk_rope_head_dim.
int64_t keptElements(AttentionOp attention);

/// Operations of one token for each token of context: 2 H h for the scores and 2 for each entry of the H weighted sums
/// of values, without padding. 4 H h where keys and values have the same size.
int64_t contextOperations(AttentionOp attention);

} // namespace xfmr::inspect
