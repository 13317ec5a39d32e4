// Emits an Epilogue: what gemv and gemm do with the sums of four neighbouring weight rows before
// they store them. Without glu four rows give four outputs (a vec4), with glu two (a vec2); either
// way row block b becomes output element b, so the output is addressed in elements of that width.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

class EpilogueBuilder {
public:
  static constexpr uint32_t kWords = 5; // push words it takes, in the order of EpilogueParams::push

  static void appendElements(std::vector<Element> &elements, const Epilogue &epilogue);
  static Element outElement(const Epilogue &epilogue);

  EpilogueBuilder(KernelBuilder &builder, const Epilogue &epilogue, uint32_t firstWord);

  // `sums` of weight rows 4 * block .. 4 * block + 3; `row` is the row of the output (for the
  // residual).
  Value apply(Value sums, Value block, Value row);
  // Stores what becomes of them as output element `at`. With glu, blocks from `weightBlocks` on have
  // no weight rows: the pad, zeros.
  void store(Value at, Value sums, Value block, Value row, Value weightBlocks);
  // Epilogue::outBlocks of a run-time n.
  Value outBlocks(Value n) const;
  // Turns an offset or stride in floats into elements of the output.
  Value elements(Value floats) const { return floats >> (epilogue.glu ? 1.0 : 2.0); }

private:
  KernelBuilder &k;
  Epilogue epilogue;
  uint32_t firstWord;
};

} // namespace xfmr::codegen
