// What a model does on a text, token by token: surprise, the lens, the residual stream, who adds what to a logit, who looks at
// whom, which channels fire, which experts are chosen. docs/Inspect.md says what every number means.
#pragma once

#include "runtime/artifact/Status.h"
#include "tools/xfmr-inspect/Memory.h"
#include "tools/xfmr-inspect/look/LookText.h"
#include "tools/xfmr-inspect/look/Table.h"

#include <map>

namespace xfmr::inspect {

/// Which parts of a look are wanted. Surprise and the residual stream always are.
struct LookViews {
  bool lens = true, attribution = true, attention = true, ffn = true, router = true;
};

/// Only the views of these names; all if there are none. What is wrong, or nothing.
std::string readViews(llvm::ArrayRef<std::string> names, LookViews &out);

struct LookOptions {
  LookTextOptions text;
  LookViews views;
  int64_t top = 5; // tokens, channels and heads of each list
  std::optional<MemoryOptions> asked; // a network, or a channel of it, whose list must hold it and as many as it says
};

/// Scores of a head: means over rows of the weights that it gives. Rows 0 and 1 of a window do not count; of an encoder begin
/// and end tokens do not.
struct HeadLook {
  int64_t layer = 0, head = 0;
  double previous = 0, first = 0, self = 0; // to the token before, the first of the window, itself
  double next = 0, last = 0;                // of an encoder: to the token after, the last of the window
  double same = 0;                          // to earlier (of an encoder: other) tokens that are the same, where there are any
  double induction = 0;                     // to what came after earlier tokens that are the same, where there are any
  double chance = 0;                        // that even weights would give for induction
  double repeated = 0;                      // on random tokens that come twice: to what came after the first
  double entropy = 0, distance = 0;         // nats; tokens back, of an encoder away
  double sink = 0;                          // the share that no token gets
  std::string sentence;
};

struct FfnLook {
  int64_t layer = 0, width = 0;
  int64_t experts = 0;           // of a mixture, each of `width` channels; 0: a plain network. Beside a mixture it is the shared one
  double zero = 0;               // share of activations that are 0
  std::vector<Channel> channels; // that contribute most over the text
  Table index, value, logit;     // [N, k]: channels with the largest |h_j| |D_j| at a row, h_j, and h_j D_j u. Of experts:
                                 // expert * width + channel; h_j times the expert's weight
  VectorD meanAbs, positive, columnNorm; // of every channel, numbered alike; not written
  /// Channel `number` as it is listed, promoted tokens apart.
  Channel channelOf(int64_t number) const;
};

struct RouterLook {
  int64_t layer = 0, experts = 0, topK = 0;
  Table load, weight;          // [texts, E]: share of the choices, mean weight where chosen
  std::vector<double> entropy; // [texts], of the router's softmax over all experts, nats
  Table together;              // [E, E]: rows in which both were chosen
  Table saliency;    // [E]: REAP (Lasby et al. 2025), mean over its rows of weight times |what the expert gives|
  Table index, gate; // [N, k]: experts chosen and their weights, largest first
};

struct Look {
  std::string model, how, refusal; // of attribution
  bool encoder = false;            // it foresees nothing: no surprise, lens, attribution; every token sees the whole window
  int64_t layers = 0, heads = 0, hidden = 0, vocabulary = 0;
  LookText text;
  std::vector<std::string> tokens;      // [N]
  std::map<int32_t, std::string> names; // of further tokens that tables name
  std::vector<double> loss;             // [texts], mean surprise
  double firstLoss = 0, secondLoss = 0; // of the repeated tokens, first and second time

  Table surprise;            // [N], NaN where there is nothing to foresee a token from
  Table entropy;             // [N], of what follows
  Table topIndex, topChance; // [N, k]: what is foreseen to follow

  Table lensToken, lensChance, lensRank, lensEntropy,
      lensKl;                     // [P, N], place 0 is the embedding: its best token; chance and
                                  // rank of the token that the model itself finds best; nats
  Table norm;                     // [P, N] of the residual stream
  Table addedAttention, addedFfn; // [L, N] norms of what is added

  std::vector<int32_t> chosen; // [N]: tokens whose logits are told apart: the next of the text, or what is foreseen
  Table logit, constant, embedding; // [N]
  Table byAttention, byFfn;         // [L, N]
  Table headIndex, headValue;       // [N, k]: layer * heads + head with the largest |contribution|
  Table headMean;                   // [L, H], mean of |contribution|

  std::vector<HeadLook> headScores;
  Table mapIndex, mapWeight; // [L, H, N, k]: where the largest weights go, rows of the window; -1: nowhere
  std::vector<FfnLook> ffn;
  std::vector<RouterLook> routers;

  std::vector<MatrixF> residual; // [P] of [N, D], for a comparison; not written
};

/// Errors: those of readLookText and Forward, a model without blocks or with blocks of several inputs or results, values that are
/// not finite.
Status readLook(ModelOp model, const LookOptions &options, Look &out);

} // namespace xfmr::inspect
