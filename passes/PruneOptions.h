// The choices that options of the pruning passes name, and the options that several of them share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xfmr {

/// Which heads an attention gives up.
enum class HeadMode {
  perGroup, // the same number of query heads in every key/value group; keys and values stay
  kvGroups  // whole groups: key, value and all their query heads
};

/// Which feed-forward networks are meant.
enum class FfnPlace { all, dense, experts };

/// How heads and channels are chosen.
enum class UnitMethod { first, magnitude, activation, wandaSp, flap, fasp, obs };

/// How experts are chosen.
enum class ExpertMethod {
  first,
  frequency, // tokens routed to it
  reap,      // mean over its tokens of gate * |output| (Lasby et al. 2025)
  subset     // the set whose mixture comes closest to the whole one (Lu et al. 2024); for few experts
};

/// How layers are chosen.
enum class LayerMethod {
  first,
  influence // least block influence goes: 1 - mean cosine of what enters and leaves (Men et al. 2024)
};

/// What is done to the weights that stay. `automatic`: least squares for fasp and obs, nothing for the others.
enum class Repair {
  automatic,
  none,
  ls,  // the projections that lost columns are fitted again
  full // also the output projections that lost none, and the inputs of the projections before
};

/// Whose activations choose and repair: the dense model's, or those of the model as pruned so far.
enum class CalibrationPath { automatic, dense, pruned };

/// How units are chosen and repaired, and with what.
struct CalibrationOptions {
  UnitMethod method = UnitMethod::first;
  ExpertMethod experts = ExpertMethod::first;
  Repair repair = Repair::automatic;
  CalibrationPath path = CalibrationPath::automatic;
  std::vector<std::string> texts;
  std::string statistics, out;
  int64_t window = 256;
  double damping = 0; // share of the Gram's mean diagonal; 0: 0.01, or 0.001 for Repair::full

  Repair chosenRepair() const {
    if (repair != Repair::automatic)
      return repair;
    return method == UnitMethod::fasp || method == UnitMethod::obs ? Repair::ls : Repair::none;
  }
  bool prunedPath() const {
    if (path != CalibrationPath::automatic)
      return path == CalibrationPath::pruned;
    return method == UnitMethod::obs && statistics.empty();
  }
  bool needsActivations() const {
    return chosenRepair() != Repair::none || experts != ExpertMethod::first || (method != UnitMethod::first && method != UnitMethod::magnitude);
  }
  double dampingShare() const { return damping > 0 ? damping : chosenRepair() == Repair::full ? 1e-3 : 1e-2; }
};

} // namespace xfmr
