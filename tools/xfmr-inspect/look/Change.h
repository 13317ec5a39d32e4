// What a change of a model does on a text: how far what follows each token moves, and where in depth that starts.
#pragma once

#include "tools/xfmr-inspect/look/Taken.h"

#include <optional>

namespace xfmr::inspect {

struct LookChange {
  std::string what; // passes, or the other model
  Table kl;         // [N] nats, of the distribution before against that after; empty of encoders
  Table drift;      // [P, N]: |difference of the streams| / |stream before|; empty where layers do not pair
  std::vector<double> meanDrift; // [P]
  int64_t starts = -1;           // the first place whose mean drift is at least a hundredth; -1: none
  std::string sentence;
  Taken taken;
};

/// A look, and what it was before a change.
struct Looks {
  Look model;
  std::optional<Look> before;
  std::optional<LookChange> change;
};

/// For people: losses, a line a layer, heads with a pattern, experts a text; and the change.
void printLooks(const Looks &looks, std::ostream &out);

/// Errors: looks at different tokens, vocabularies of different sizes, an encoder beside a model that generates.
Status compareLooks(ModelOp modelBefore, const Look &before, ModelOp modelAfter, const Look &after, std::string what,
                    LookChange &out);

} // namespace xfmr::inspect
