// embedding: out[t, :] = table[tokens[t], :] (+ positions[position + t, :]) for t < count. Ids outside the vocabulary are
// clamped into it.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

struct EmbeddingSpec {
  WeightType weight = WeightType::F32;
  bool positions = false; // adds a learned position table of the same weight type (GPT-2)

  std::string name() const;
  // state r, tokens r (i32), table r, out w [, positions r]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("positions", self.positions);
  }
};

struct EmbeddingParams {
  uint32_t width = 0; // hidden_size
  uint32_t vocab = 0; // ids are clamped to vocab - 1
  uint32_t firstRow =
      0; // the table binding holds rows firstRow .. firstRow + tableRows - 1 (a table
  uint32_t tableRows =
      0; //   split at plan time: one dispatch a part, each writes only its own tokens)
  uint32_t maxRows = 0; // most tokens of the phase
  Rows out;
  uint32_t maxPosition = 0; // rows of the position table

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const EmbeddingSpec &spec) const;
  std::string fault(const EmbeddingSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("vocab", self.vocab); f("first_row", self.firstRow);
    f("table_rows", self.tableRows); f("max_rows", self.maxRows); f("out", self.out);
    f("max_position", self.maxPosition);
  }
};

} // namespace xfmr::codegen
