// Emits the function between an expert's two matrices (MoeExpert.h), the same for both routes.
#pragma once
#include "passes/codegen/MoeExpert.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

// `sums` of rows `column` … (`valid` of 16) of expert `expert`, counted over all parts: 16 outputs, or 8 with glu. n: rows
// of one expert.
Value applyEpilogue(KernelBuilder &k, const MoeEpilogue &epilogue, Value sums, Value expert, Value column,
                    unsigned valid, uint32_t n, float alpha, float limit);

// Stores what applyEpilogue gave in the row of `out` that begins at `at`.
void storeExpertOutputs(KernelBuilder &k, const MoeEpilogue &epilogue, Value at, Value outputs, Value column,
                        unsigned valid);

// The number of `expert` within a part; not below the part's number of experts if it is none of it.
inline Value withinPart(const MoePart &part, Value expert) { return expert - part.firstExpert; }

} // namespace xfmr::codegen::cpu
