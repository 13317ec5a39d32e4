// Segments of an encoder's ids (token_type_ids), where two texts are read as one.
#pragma once

namespace xfmr::artifact {

/// A text in an artifact. "2": ids of the second segment are those of the first plus half the vocabulary's size; "1": the model tells no
/// segments apart; none: all ids are of the first.
constexpr const char *kSegmentsTensor = "xfmr.segments";

} // namespace xfmr::artifact
