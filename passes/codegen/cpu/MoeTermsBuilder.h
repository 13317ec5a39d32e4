// Emits MoeTerms: what joins the sum over the chosen experts. By both routes through this, so that their bits agree.
#pragma once
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

// `v`, columns `column` .. of `row`, of which `valid` count, with the terms.
Value applyTerms(KernelBuilder &k, const MoeTerms &terms, const MoeTermRows &rows, Value v,
                 Value row, Value column, unsigned valid);

} // namespace xfmr::codegen::cpu
