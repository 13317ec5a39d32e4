// Reading panels of quantised weights in shaders. They lie as the CPU reads them (weights/QuantRows.h: sixteen rows side by side, of
// 32 columns words of codes, then scales and minimums), which suits devices too: sixteen bytes are one word of four neighbouring
// rows, a quad, so neighbouring invocations read neighbouring bytes, a load gives four rows whose sums stay in one vec4, and the
// scales of a quad meet its sum once for 32 columns, or for the 16 of a type of groups of so many.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

class CodePanels {
public:
  static constexpr uint32_t kBlock = 32;              // columns whose codes and scales lie together
  static constexpr uint32_t kBlockQuads = kBlock / 4; // of x

  // `weight` is of U32x4; `chunks`: of eight columns in a row.
  CodePanels(KernelBuilder &k, Buffer weight, WeightType type, Value chunks);

  Value blocks() const { return blockCount; } // of a row
  // Quads of panels that hold so many rows.
  static Value quads(Value rows) { return ((rows + 15) >> 4) << 2; }

  // Quad `quad` of the matrix: where its panel begins, and its number in it.
  struct Place {
    Value at, lane;
  };
  Place place(Value quad) const { return {(quad >> 2) * panelElements, quad & 3}; }

  // `total`, a vec4 of the quad's rows, plus the products of a block with 32 numbers: xQuad(i) is columns 4 i … of the block. The
  // sum of columns that share a scale is one chain of codes times x, which a multiply-add with the scales adds.
  Value addBlock(const Place &place, Value block, llvm::function_ref<Value(uint32_t i)> xQuad, Value total) const;

  // The numbers of columns 4 * columnQuad …: a vec4 of them for each of the quad's rows.
  Values rows(const Place &place, Value columnQuad) const;
  // A tile of 64 rows and 16 columns, by a workgroup of 64: put(row, columnQuad, numbers) for rows of the quads from `quad` on, the
  // first `quadsLeft` of which exist, and vec4s of columns from `columnQuad` on; zeros beyond rows or columns.
  void fillTile(Value quad, Value quadsLeft, Value columnQuad,
                llvm::function_ref<void(Value row, Value columnQuad, Value numbers)> put) const;

private:
  struct Scales {
    Value scale, minimum; // vec4 of the quad's rows; no minimum: symmetric
  };
  Value blockAt(const Place &place, Value block) const { return place.at + block * blockElements(); }
  // `group`: of a block with several, else none.
  Scales scales(const Place &place, Value block, Value group) const;
  // Numbers of `columns` columns of a word, a vec4 of the quad's rows each: signed codes, or unsigned ones with a minimum.
  Values columnsOf(Value words, uint32_t columns) const;

  // In elements of sixteen bytes.
  uint32_t codeElements() const { return bits * 4; }
  uint32_t blockElements() const;

  KernelBuilder &k;
  Buffer weight;
  const WeightType type;
  const uint32_t bits, groups; // groups: of columns that share a scale, in a block
  const bool hasMinimum;
  Value chunks, blockCount, panelElements;
};

// Columns 8 * chunk … of row `row`: two vec4. `weight` is a buffer of words.
std::pair<Value, Value> loadCodes8(const Buffer &weight, WeightType type, Value row, Value chunks, Value chunk);

// An error where a kernel should read rows of codes (RowCodes.h) or of pairs (RowPairs.h): Vulkan multiplies floats.
llvm::Error needsRowsOfFloats(const std::string &kernel, bool codes, bool pairs = false);

} // namespace xfmr::codegen
