// Tile registers of AMX: whether the system lets this process have them, and whether they multiply as they should. A processor's
// word (cpuid) is not enough: kernels of v4_amx were written without one at hand, so products of known numbers are tried first.
#pragma once
#include <cstdint>
#include <string>

namespace xfmr::cpu {

/// C = A B. A: [16][32] of bf16 or [16][64] bytes; B: [k / w][16][w], where a word holds w of them; C: [16][16].
struct TileProducts {
  void (*bfloats)(const uint16_t *a, const uint16_t *b, float *c);
  void (*bytes)(const int8_t *a, const int8_t *b, int32_t *c);
};

/// What is wrong with the products; empty: nothing.
std::string tileFault(const TileProducts &products);

/// Asks the system for the registers, for all threads of this process, and tries them. Why they cannot be used; empty: they can.
/// Only on CPUs that have them.
std::string enableTiles();

} // namespace xfmr::cpu
