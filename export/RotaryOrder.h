// Which entries of a head rotate together is a convention of the file; the dot product of query and key does not depend on
// the order of a head's entries, so rows can be exchanged.
#pragma once
#include "export/Decoder.h"

namespace xfmr::exports {

/// Rows of a [heads * headDim, …] projection so that rotated pairs lie as `to` says.
std::vector<int64_t> rotaryRows(int64_t heads, int64_t headDim, int64_t rotaryDim, RopeStyle from, RopeStyle to);

/// Applies rotaryRows() to queries and keys of every layer, with their biases.
Status setRotaryStyle(Decoder &decoder, RopeStyle style);

/// The same in the IR: the rotations of `model` get the style of those of `family`, if that has one. Projections are linears of their own.
Status orderRotationsAs(ModelOp family, ModelOp model);

} // namespace xfmr::exports
