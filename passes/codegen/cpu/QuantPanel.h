// Reading panels of quantised weights, sixteen rows side by side in lanes: words of codes, scales, and the numbers they stand
// for. weights/QuantRows.h says what lies where; here it is in words of 32 bits. Codes of a block of 32 columns and its scales lie
// together, so that a walk along a panel is one stream of bytes: scales in a place of their own are missed by prefetchers, and
// gemv then reads half of what memory gives.
#pragma once
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

class QuantPanel {
public:
  // `weight`: a buffer of words.
  QuantPanel(KernelBuilder &k, Buffer weight, WeightType type, uint32_t columns)
      : k(k), weight(weight), scheme(*schemeOf(type)), type(type), columns(columns) {}

  uint64_t words() const { return rowBytes(type, columns) * kPanel / 4; } // of a panel
  // The code that stands for 0; of types with a minimum 0.
  int zero() const { return scheme.minimum ? 0 : 1 << (scheme.bits() - 1); }
  bool hasMinimum() const { return scheme.minimum; }
  int bits() const { return scheme.bits(); }
  // Columns that share a scale, 32 or 16, and how many times a block of 32 has them.
  uint32_t groupColumns() const { return static_cast<uint32_t>(scheme.group); }
  uint32_t groups() const { return 32 / groupColumns(); }

  // A number is scale * u + offset, one multiply-add; the offset is the minimum or -scale * zero(). So it is rounded once where
  // it is rounded at all: numbers of f16 scales are exact, and q6_k's.
  struct Scales {
    Value scale, offset; // of the panel's rows
  };
  Scales scales(Value panelAt, Value block, uint32_t group = 0) const;

  // Numbers of eight columns of a block of these scales, from its column c on: a vector of the panel's rows each.
  Values numbers(Value panelAt, Value block, uint32_t c, const Scales &scales) const;
  // Codes of the same columns as bytes, four columns a vector of words.
  Values bytes(Value panelAt, Value block, uint32_t c) const;
  // Numbers of columns column … column + 7, a multiple of 8, of one row, in lanes.
  Value rowNumbers(Value panelAt, Value row, Value column) const;

private:
  // Words of a group's scales, from where on a block has scales and minimums, and words of a block.
  uint32_t scaleWords() const { return static_cast<uint32_t>(scheme.scaleBytes()) * kPanel / 4; }
  uint32_t scalesAt() const { return static_cast<uint32_t>(scheme.bits()) * kPanel; }
  uint32_t minimumsAt() const { return scalesAt() + groups() * scaleWords(); }
  uint32_t blockWords() const { return minimumsAt() + (scheme.minimum ? groups() * scaleWords() : 0); }
  Value load(Value panelAt, Value block, uint32_t at, uint32_t lanes) const {
    return weight.load(panelAt + block * blockWords() + at, lanes);
  }

  KernelBuilder &k;
  Buffer weight;
  const QuantScheme scheme;
  const WeightType type;
  const uint32_t columns;
};

} // namespace xfmr::codegen::cpu
