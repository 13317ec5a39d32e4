// Which ops may share a kernel: pure functions from plain facts, tested without IR or a device. FormRegions finds the
// facts and carries out what is decided here. A refusal says why, for remarks about near misses.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// What differs between targets.
struct FusionPolicy {
  /// Whether products of one row and routers take the rms_norm before them. On a GPU that saves a dispatch and its
  /// barrier; on a CPU each tile would compute the norm again.
  bool normPrologues = false;

  static FusionPolicy of(TargetKind target);
};

/// Joins, or not and why.
struct Fusion {
  bool joins = true;
  const char *why = "";

  static Fusion no(const char *why) { return {false, why}; }
  explicit operator bool() const { return joins; }
};

/// The order of an epilogue: [activation] [scale] [softcap] [residual add]. A step joins behind all before it.
enum class EpilogueStep { Activation, Scale, Softcap, Residual };

/// The epilogue of a product as far as it has grown.
struct EpilogueFacts {
  bool isGlu = false; // the head is a glu, which has its activation inside
  bool activation = false, scale = false, softcap = false, residual = false;
};

/// Whether an activation function may follow a product: pads of zeros must stay zeros.
bool keepsZero(ActivationKind kind);

/// `kind` is that of an activation step, else ignored.
Fusion mayFollow(const EpilogueFacts &product, EpilogueStep step, ActivationKind kind = ActivationKind::relu);

/// An rms_norm before products of one row.
struct PrologueFacts {
  int64_t rows = 1;
  bool wholeRow = true;      // its weight is as wide as its input
  bool afterLastRow = false; // it reads the last row of a run, which is a kernel of its own
  bool onlyProducts = true;  // every reader is a product's input
};
Fusion mayLead(FusionPolicy policy, const PrologueFacts &norm);

/// An rms_norm before the router of a mixture. Others may read it too: the router's kernel writes it.
struct RouterPrologueFacts {
  int64_t rows = 1;
  bool wholeRow = true, afterLastRow = false;
  bool othersLater = true; // its other readers come after the experts
};
Fusion mayLeadRouter(FusionPolicy policy, const RouterPrologueFacts &norm);

/// The norms of queries and keys on their way into the cache: one kernel has one eps and one offset rule for both.
struct HeadNormFacts {
  bool query = false, key = false;
  double queryEps = 0, keyEps = 0;
  bool queryOffset = false, keyOffset = false;
};
Fusion headNormsJoin(const HeadNormFacts &norms);

/// What an add after a mixture adds.
enum class MixtureTerm { None, Shared, GatedShared, Residual };
struct MixtureAddFacts {
  bool isGated = false;          // the other operand is row_scale by a sigmoid that nothing else reads
  bool hasShared = false, hasResidual = false;
  bool anotherAddFollows = false; // then that one may be the residual
};
MixtureTerm mixtureTerm(const MixtureAddFacts &add);

} // namespace xfmr
