// The instruction sets CPU kernels are made for, and everything a kernel or the lowering wants to know about one, in
// one table. A shared object holds every kernel once a level; the runtime takes the highest that the machine has.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace xfmr::codegen::cpu {

// x86-64-v2 (SSE4.2), -v3 (AVX2, FMA, F16C), -v4 (AVX-512), v4 with AVX512_VNNI and AVX512_BF16, that with AMX of bf16 and int8;
// aarch64 as every one is, with NEON, and with dot products of bytes (FEAT_DotProd). The numbers are those of CpuLevel in the dialect.
enum class Level : uint8_t { V2, V3, V4, V4Dot, V4Amx, Neon, NeonDot };

// Rows of X times panels of 16 outputs. Few rows take more panels, so that additions do not wait for each other.
struct RegisterBlock {
  uint32_t rows, panels;
};

// Products of unsigned bytes by signed ones: pairs of them added to 16 bits (vpmaddubsw), which saturates, or fours added to 32
// bits (vpdpbusd). SignedFours: of signed bytes by signed ones (sdot).
enum class ByteDots : uint8_t { None, Pairs, Fours, SignedFours };

struct LevelFacts {
  const char *name;     // "v3": the suffix of a kernel's symbol
  const char *triple;   // objects of one triple go into one shared object
  const char *cpu;      // LLVM's name of the processor
  const char *features; // LLVM's names of what it has besides
  uint32_t vectorBits;  // of a register, and what LLVM may use
  bool fma;             // else a product is rounded before it is added
  bool halfConversions; // f16 <-> f32 instructions
  bool bfloatDots;      // products of pairs of bf16, added to f32
  // The blocks of sums that a matrix product keeps in registers, largest first; the last has one row.
  llvm::ArrayRef<RegisterBlock> blocks;
  ByteDots byteDots = ByteDots::None;
  bool tiles = false; // products of whole tiles of bf16 and of bytes (Tiles.h)
};

const LevelFacts &facts(Level level);
llvm::ArrayRef<Level> allLevels(); // those of an architecture side by side, lowest first
std::optional<Level> parseLevel(llvm::StringRef name);
} // namespace xfmr::codegen::cpu
