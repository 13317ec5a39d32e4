// Rotary position settings as configuration files spell them: old keys (`rope_theta`, `rope_scaling`
// with `type` or `rope_type`) and the newer `rope_parameters` object.
#pragma once
#include "dialect/Xfmr.h"
#include "import/Config.h"

namespace xfmr {

struct RopeSettings {
  double theta = 10000.0;
  int64_t headDim = 0;
  int64_t rotaryDim = 0; // entries of a head that rotate
  RopeStyle style = RopeStyle::half;
  mlir::Attribute scaling; // null: plain frequencies
};

/// What a family takes where neither spelling of a key is there.
struct RopeDefaults {
  double theta = 10000.0;
  double share = 1.0;    // of a head's entries that rotate
  int64_t rotaryDim = 0; // of a family that has `rotary_dim` for them; 0: no such key, the share counts
};

/// The object of either spelling of the settings; empty where there is none.
Config ropeObject(Config &config);

/// Refuses heads of an odd number of entries, of which one would have no other to turn with. The key is the one that gives their size.
void requirePairs(Config &config, int64_t headDim);

/// Reads the settings of heads of `headDim` entries. Base and share of rotated entries stand in `rope_parameters` (files of
/// transformers 5) or beside it, as `rope_theta` or `rotary_emb_base`, `partial_rotary_factor` or `rotary_pct`.
/// `maxPosition` comes in as `max_position_embeddings`. It shrinks for kinds whose frequencies depend on the served length
/// (dynamic, longrope), which are fixed for short texts, or for `ropeLength` positions if that is not 0; it grows to the
/// positions that a yarn factor gives, which model cards add to a configuration without changing `max_position_embeddings`.
RopeSettings readRope(mlir::MLIRContext &context, Config &config, int64_t headDim, int64_t &maxPosition,
                      int64_t ropeLength, const RopeDefaults &defaults = {});

/// The same from one object that holds all fields (an entry of a per-layer-type
/// `rope_parameters`). `config` supplies `original_max_position_embeddings` if the object has none.
RopeSettings readRopeObject(mlir::MLIRContext &context, Config &config, Config object, const RopeDefaults &defaults,
                            int64_t headDim, int64_t &maxPosition, int64_t ropeLength);

/// The two settings of a family whose sliding layers turn otherwise, where `rope_parameters` has one object a layer type
/// (transformers 5). False where it has not; then nothing was read.
bool readRopesByLayerType(mlir::MLIRContext &context, Config &config, int64_t headDim, int64_t &maxPosition,
                          int64_t ropeLength, const RopeDefaults &fullDefaults, const RopeDefaults &slidingDefaults,
                          RopeSettings &full, RopeSettings &sliding);

/// YaRN's growth of scores with the scale s: 0.1 m ln s + 1 for s > 1.
double yarnMagnitude(double s, double m);

} // namespace xfmr
