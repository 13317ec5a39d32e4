// Encoders with decoders (T5, Switch) have no place in the dialect, nor has BERT's pooler: they are counted from a list of their
// tensors, which a checkpoint must then hold.
#pragma once
#include "tools/xfmr-inspect/Report.h"

namespace xfmr::inspect {

/// Counts the model in `path`, a folder or a configuration, if it is of these kinds; otherwise `taken` is false and
/// nothing happens.
/// A token of an encoder with a decoder is one through both: blocks of both stacks, self and cross attention.
Status countEncoder(const std::string &path, bool &taken, Report &out);

} // namespace xfmr::inspect
