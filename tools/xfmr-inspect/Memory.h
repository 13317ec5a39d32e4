// A feed-forward network as a key-value memory (Geva et al. 2021): its output at a token is the sum over its channels of
// h_j D_j, and a bias, where h [F] is what the down projection D [D, F] reads. A channel is told by where it fires on a
// text and by the tokens that its column D_j writes. docs/Inspect.md says what the numbers mean.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace xfmr::inspect {

struct MemoryOptions {
  int64_t layer = 0;
  std::optional<int64_t> expert, channel; // of a mixture both or none
  std::vector<std::string> texts;
  int64_t window = 256;
  int64_t top = 10;
};

/// "LAYER", "LAYER:CHANNEL" or "LAYER:EXPERT:CHANNEL". False for anything else.
bool parseMemoryPlace(llvm::StringRef text, MemoryOptions &out);

struct TokenScore {
  int32_t id;
  std::string token;
  double value;
};

/// A token of the text, with up to eight before it in its window. Position 0 of a window is the begin token.
struct Firing {
  int64_t window, position;
  double value; // h_j
  std::string token, context;
};

/// A row of a look, and what a channel is there.
struct RowValue {
  int64_t row;
  float value;
};

struct Channel {
  int64_t channel;
  int64_t expert = -1;  // of a mixture; else -1
  double meanAbs;       // of h_j over the tokens of the text
  double positiveShare; // of them, where h_j > 0
  double columnNorm;    // |D_j|
  double share;         // meanAbs * columnNorm of that summed over all channels
  std::vector<TokenScore> promotes;
  std::vector<RowValue> rows; // of a look: largest |h_j| first
  // Of a channel that was asked for; in a look what it suppresses too:
  std::vector<Firing> firings; // largest |h_j| first
  std::vector<TokenScore> suppresses;
};

/// One channel, or the channels of a layer that contribute most, most first.
struct FfnMemory {
  std::string model;
  int64_t layer = 0, width = 0;
  int64_t experts = 0; // of a mixture, each of `width` channels, which are times the weight of their expert
  int64_t tokens = 0;  // of the text, without begin tokens
  bool single = false;
  std::vector<Channel> channels;
};

/// Errors: no such layer, expert or channel, no network with one down projection.
Status checkMemoryPlace(ModelOp model, const MemoryOptions &options);

/// Errors: no such layer, expert or channel, no network with one down projection, values that are not finite,
/// and those of readCalibration and Vocabulary. What a model lacks is emitted as diagnostics: then the status has no text.
Status readMemory(ModelOp model, const MemoryOptions &options, FfnMemory &out);

/// {"model", "layer", "channel", "mean_abs", "positive_share", "column_norm", "positions": [{"window", "position", "value",
/// "token", "context"}], "promotes": [{"token_id", "token", "value"}], "suppresses": […]}, or {"model", "layer",
/// "channels": [{"channel", "mean_abs", "column_norm", "share", "promotes"}]}.
nlohmann::ordered_json toJson(const FfnMemory &memory);

void printMemory(const FfnMemory &memory, std::ostream &out);

} // namespace xfmr::inspect
