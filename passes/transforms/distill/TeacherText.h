// What a teacher told about a text (runtime/artifact/Teacher.h), as a student in calibration sees it: windows of ids, and at each
// position the distribution that is wanted of it.
#pragma once

#include "passes/calibration/Sequence.h"

#include "runtime/artifact/Teacher.h"

namespace xfmr {

class TeacherText {
public:
  /// Reads all shards. Errors: those of the shards, another vocabulary than the model's, windows longer than its positions.
  Status open(ModelOp model, const std::string &folder);

  int64_t windows() const { return run_.windows; }
  int64_t window() const { return run_.window; }
  /// Windows first … first + count - 1 in sequences of a few.
  std::vector<Sequence> sequences(int64_t first, int64_t count) const;

  /// For a position of a window and a student's probabilities q [vocab] there: the wanted p is the teacher's for the tokens that it
  /// told, and for the others the student's own times what makes their sum the teacher's: of all distributions that the teacher may
  /// have had the nearest one. Turns q into q - p and returns KL(p || q), below which the true divergence cannot be. `logits` are
  /// those of q, of which `norm` is the log of the sum of exponentials.
  double difference(int64_t window, int64_t position, const float *logits, double norm, float *q) const;

private:
  TeacherRun run_;
  std::vector<TeacherShard> shards_;
};

} // namespace xfmr
