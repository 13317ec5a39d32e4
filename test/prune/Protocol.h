// The measuring protocol of docs/Pruning.md: each text is split at half its bytes, the first half calibrates, the second
// is scored by KL(dense || pruned) in nats over the whole vocabulary, mean over windows and all positions but the last.
#pragma once

#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"
#include "tools/model/ModelFile.h"

#include <optional>

namespace xfmr::prune {

class Protocol {
public:
  /// Opens a model folder and writes the calibration halves of the texts to `workFolder`. With `swapped` the second halves
  /// calibrate.
  static Status open(const std::string &model, const std::vector<std::string> &texts, const std::string &workFolder,
                     bool swapped, std::unique_ptr<Protocol> &out);

  /// Runs a textual pipeline on a copy of the model: TEXT in it stands for the calibration texts, as text=FILE,FILE.
  /// Null after an error, which is in `diagnostics`.
  mlir::OwningOpRef<mlir::ModuleOp> run(std::string pipeline, std::string &diagnostics);
  /// KL on the scored halves.
  Status score(mlir::ModuleOp module, double &kl);
  /// run and score: the KL, or nothing after an error that it prints to stderr.
  std::optional<double> measure(const std::string &pipeline);

  ModelFile &file() { return file_; }
  const std::string &workFolder() const { return folder_; }

private:
  Status logits(ModelOp model, std::vector<MatrixF> &logProbabilities);

  ModelFile file_;
  std::string folder_, textOption_;
  TokenWindows scored_;
  std::vector<MatrixF> dense_; // log-probabilities, a matrix for each few windows
};

} // namespace xfmr::prune
