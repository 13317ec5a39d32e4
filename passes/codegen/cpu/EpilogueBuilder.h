// Emits an Epilogue: what gemv and gemm do with the sums of 16 neighbouring weight rows before they store them. With
// glu these are 8 pairs of gate and up and give 8 outputs, else 16.
#pragma once
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

// Gates (even lanes) and ups (odd lanes) of 16 sums.
std::pair<Value, Value> gatesAndUps(Value sums);

// Applies `epilogue` to the sums of weight rows `column` … (`valid` of 16, n rows in all) and stores them in row `row`
// of out.
void storeOutputs(KernelBuilder &k, const Epilogue &epilogue, const EpilogueParams &params, Rows out, Value row,
                  Value sums, Value column, unsigned valid, uint32_t n);

} // namespace xfmr::codegen::cpu
