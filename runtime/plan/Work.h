// What a dispatch has to do at least in one run: operations, and bytes that must come from memory. Measured time means something
// only beside these. From the table `Work` of the program; a program that has none, or a dispatch that is only a few rows of
// activations, comes to zeros.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <string_view>

namespace xfmr::plan {

struct Amount {
  double operations = 0;  // a multiply-add is two
  double weightBytes = 0; // of matrices, each read once; of a mixture, those of the experts that rows choose if they spread evenly
  double cacheBytes = 0;  // of keys and values that the rows see, each read once
  double bytes() const { return weightBytes + cacheBytes; }
};

/// Of a run on `rows` rows at positions position … position + rows - 1.
Amount amountOf(const program::Dispatch &dispatch, uint32_t position, uint32_t rows);

/// Rows that a run of `phase` on a chunk of `count` tokens computes: one where only the last row counts.
uint32_t rowsOf(const program::Phase &phase, uint32_t count);

/// The block a dispatch belongs to, by its label "block 3 …"; -1: none.
int32_t layerOf(std::string_view label);
int32_t layerOf(const program::Dispatch &dispatch);

} // namespace xfmr::plan
