// The tile registers of AMX, eight of 16 rows of 64 bytes, each addressed by its number: whoever writes the code says which tile
// holds what, so that nothing is spilled. A tile product adds to C [16 rows of X, 16 outputs] the product of A, 16 rows of X, and
// B, whose rows are words of 16 outputs (two columns of bf16 or four of bytes), as panels of weights have them.
#pragma once
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

constexpr uint32_t kTileRows = 16;                        // of A and C
constexpr unsigned kTilesC = 0, kTilesA = 4, kTilesB = 6; // four C, two A, two B

class Tiles {
public:
  // Gives all tiles their shapes: A and B hold `words` words of a row of X or an output, 16 at most.
  Tiles(KernelBuilder &k, uint32_t words);
  void release(); // the registers, so that the system need not save them

  void zero(unsigned tile);
  // Rows of a tile are `stride` elements of the buffer apart.
  void load(unsigned tile, Buffer from, Value at, uint64_t stride);
  void store(unsigned tile, Buffer to, Value at, uint64_t stride);

  void dotBfloats(unsigned c, unsigned a, unsigned b); // pairs of bf16, to f32
  // Fours of bytes to 32 bits: signed ones of `a` by those of `b`, signed or not.
  void dotBytes(unsigned c, unsigned a, unsigned b, bool signedB);

private:
  void call(const char *intrinsic, mlir::ValueRange operands);
  mlir::Value number(unsigned tile);
  mlir::Value bytes(uint64_t elements); // of 32 bits

  KernelBuilder &k;
};

} // namespace xfmr::codegen::cpu
