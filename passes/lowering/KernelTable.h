// What the kernels of a program cost by the formulas of passes/codegen/Cost.h, as a table that a person reads.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// The machine that kernels of a target are priced on: the highest level of the CPU, or a GPU of the middle class.
codegen::Machine machineOf(TargetAttr target);

/// One line a distinct kernel of each phase: how often it runs, what threads or workgroups share it by, flops and bytes a
/// token, the estimated time of a run. Phases over tokens are priced for as many as they take at most, each seeing half of
/// them; one token, of decode, sees half the context. The program is past select-kernels.
void printKernelTable(ProgramOp program, llvm::raw_ostream &os);

} // namespace xfmr
