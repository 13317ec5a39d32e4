// The blocks of GGUF's quantised tensors as planes of codes and scales, and back to the same bytes. Source: the block
// structures of ggml; docs/Formats.md has them in a table.
#pragma once
#include "dialect/Quantised.h"
#include "runtime/artifact/Gguf.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr {

/// The scheme of a type of quantised tensors that can be read; nothing for another one.
std::optional<QuantScheme> ggufScheme(uint32_t type);
/// The type whose blocks hold the scheme, if there is one.
std::optional<GgufType> ggufTypeOf(const QuantScheme &scheme);

/// The type for rows of `columns` where `wanted` is asked for: itself if they are whole blocks, else the one of blocks of 32 that
/// llama.cpp's quantiser takes instead, else f16.
GgufType fittingType(GgufType wanted, int64_t columns);

/// What one block says.
struct BlockPlanes {
  float scale = 0, minimum = 0;     // s and m, or d and e
  float subScales[16], subMins[16]; // a and b, of two levels
  uint8_t codes[256];
};
void decodeBlock(GgufType type, const uint8_t *bytes, BlockPlanes &planes);
void encodeBlock(GgufType type, const BlockPlanes &planes, uint8_t *bytes);

/// Columns begin … end - 1 of a plane (or the values) of a row of blocks.
void readBlocks(GgufType type, const uint8_t *row, WeightPlane plane, int64_t begin, int64_t end, float *out);

/// Blocks of a row of `columns` from its planes: `read(plane, out)` gives all columns of one.
void writeBlocks(GgufType type, int64_t columns, llvm::function_ref<void(WeightPlane, float *)> read, uint8_t *row);

} // namespace xfmr
