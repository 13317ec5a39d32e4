// Panels to rows; see Panels.h. A bf16 panel is one of 32-bit words, two columns each, so it goes the way of f32.
#include "runtime/artifact/Panels.h"
#include "runtime/artifact/Format.h"
#include <algorithm>
#include <cstring>

using namespace xfmr;
using namespace xfmr::artifact;

/// Rows of one panel, `lanes` of them from `lane` on: reads a line of 16 words at a time, writes `lanes` streams.
template <typename Word>
static void copyLanes(const uint8_t *panel, uint64_t columns, uint64_t lane, uint64_t lanes, uint8_t *out) {
  for (uint64_t c = 0; c < columns; ++c)
    for (uint64_t l = 0; l < lanes; ++l)
      std::memcpy(out + (l * columns + c) * sizeof(Word), panel + (c * kPanelRows + lane + l) * sizeof(Word),
                  sizeof(Word));
}

void xfmr::artifact::copyRowsOfPanels(const program::Buffer &weight, const uint8_t *panels, uint64_t first,
                                      uint64_t count, uint8_t *out) {
  const uint64_t row = rowBytes(weight), panelBytes = kPanelRows * row;
  const uint64_t panelsOfGroup = (weight.rows() + kPanelRows - 1) / kPanelRows;
  while (count) {
    const uint64_t group = first / weight.rows(), inGroup = first % weight.rows(), lane = inGroup % kPanelRows;
    const uint64_t lanes = std::min({kPanelRows - lane, weight.rows() - inGroup, count});
    const uint8_t *panel = panels + (group * panelsOfGroup + inGroup / kPanelRows) * panelBytes;
    if (weight.element() == program::Element::f16)
      copyLanes<uint16_t>(panel, weight.columns(), lane, lanes, out);
    else
      copyLanes<uint32_t>(panel, row / 4, lane, lanes, out);
    first += lanes;
    count -= lanes;
    out += lanes * row;
  }
}
