// What a dispatch has to do, whatever code does it: what people who measure a kernel compare it with. Kernels whose time is
// that of a few rows of activations have none. Every number follows from spec and params; bytes of weights do not, since only
// who binds them knows how they lie (passes/lowering/ProgramBytes.cpp adds them). Cost.h prices a kernel for one load, functions and
// rereading included, so that kernels can be ranked; this is the part that no kernel can leave out, as counts that an artifact
// keeps for any load.
#pragma once
#include "passes/codegen/AllKernels.h"

namespace xfmr::codegen {

struct DispatchWork {
  uint64_t rowOperations = 0; // a row; a multiply-add is two
  uint64_t keyOperations = 0; // attention: a row and a key that it sees
  uint32_t keyBytes = 0;      // attention: of keys and values, all heads, a position
  uint32_t window = 0;        // attention: keys a row sees at most; 0: all before it
  bool allKeys = false;       // attention: also keys behind the row
  uint32_t tableRows = 0;     // a row of the binding `table`, which has so many, is read for each row
  uint32_t chosen = 0;        // mixtures: experts a row goes through
  uint32_t firstExpert = 0, experts = 0xffff; // mixtures: those that are bound, `experts` at most
  WeightType weights = WeightType::F32;       // of the binding `weight`
};

template <class Spec, class Params> DispatchWork workOf(const Spec &, const Params &) { return {}; }

DispatchWork workOf(const AttentionDecodeSpec &spec, const AttentionDecodeParams &params);
DispatchWork workOf(const AttentionPrefillSpec &spec, const AttentionPrefillParams &params);
DispatchWork workOf(const EmbeddingSpec &spec, const EmbeddingParams &params);
DispatchWork workOf(const GemmSpec &spec, const GemmParams &params);
DispatchWork workOf(const GemvSpec &spec, const GemvParams &params);
DispatchWork workOf(const HeadProductSpec &spec, const HeadProductParams &params);
DispatchWork workOf(const MoeGemmSpec &spec, const MoeGemmParams &params);
DispatchWork workOf(const MoeGemvSpec &spec, const MoeGemvParams &params);
DispatchWork workOf(const MoeRouterSpec &spec, const MoeRouterParams &params);

} // namespace xfmr::codegen
