// Emits what the expert products have in common (MoeExpert.h): the parts of a stacked weight, and the function between
// an expert's two matrices.
#pragma once
#include "passes/codegen/MoeExpert.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

// The number of `expert` within the part of a MoePart's word, and whether it is one of it.
inline Value withinPart(Value word, Value expert) { return expert - (word & 65535.0); }
inline Value partHolds(Value word, Value expert) { return withinPart(word, expert) < (word >> 16); }

inline Element outElement(const MoeEpilogue &epilogue) { return epilogue.glu ? Element::F32x2 : Element::F32x4; }

// `sums` of rows 4 * block .. 4 * block + 3 of expert `expert`, rows beyond n being zero. The binding is
// `bias`; alpha and limit are those of gpt-oss.
Value applyEpilogue(KernelBuilder &k, const MoeEpilogue &epilogue, Value sums, Value expert, Value block,
                    Value biasQuads, Value alpha, Value limit);

} // namespace xfmr::codegen
