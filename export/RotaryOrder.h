// Which entries of a head rotate together is a convention of the file; the dot product of query and key does not depend on
// the order of a head's entries, so rows can be exchanged.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"

namespace xfmr::exports {

/// The rotations of `model` get the style of those of `family`, if that has one; rows of queries and keys, with their biases, are
/// exchanged for it. Projections are linears of their own.
Status orderRotationsAs(ModelOp family, ModelOp model);

} // namespace xfmr::exports
