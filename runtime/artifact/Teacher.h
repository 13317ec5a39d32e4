// What a model said about a text, for others to learn from: at each position the K most probable next tokens with their
// log-probabilities, and how much probability all the others have together. A folder of safetensors shards of whole windows, so that
// a run that was interrupted goes on where it stood and nobody holds more than a shard.
#pragma once
#include "runtime/artifact/DType.h"
#include "runtime/artifact/Status.h"
#include <string>
#include <vector>

namespace xfmr {

/// What all shards of a folder agree on. Windows are as perplexity and comparison cut them: a begin token and one run of a text.
struct TeacherRun {
  int64_t vocab = 0, topK = 0;
  int64_t window = 0;       // tokens of each
  int64_t windows = 0;      // of all shards together
  int64_t shardWindows = 0; // of each shard but the last
  std::string model, text;  // hashes of what was run and of all ids

  int64_t positions() const { return window - 1; } // of a window: those whose next token lies in it
  int64_t shards() const { return (windows + shardWindows - 1) / shardWindows; }
  int64_t windowsOf(int64_t shard) const;
  /// OUT/teacher-00001-of-00012.safetensors
  std::string path(const std::string &folder, int64_t shard) const;
};

/// One shard. W windows of T tokens, P = T - 1 positions.
struct TeacherShard {
  std::vector<int32_t> ids;            // [W, T]
  std::vector<int32_t> tokens;         // [W, P, K], the most probable first, the lowest id first on a tie
  std::vector<float> logProbabilities; // [W, P, K], nats
  std::vector<double> left;            // [W, P], probability of all other tokens, summed over them
  std::vector<float> next;             // [W, P], log-probability of the token that follows in the text

  int64_t windows(const TeacherRun &run) const { return static_cast<int64_t>(ids.size()) / run.window; }
  /// Appends a position: logits [vocab] and the token that follows. Ids are not touched.
  void add(const TeacherRun &run, const float *logits, int32_t following);
};

/// 32 hexadecimal digits.
std::string teacherHash(const std::vector<std::vector<int32_t>> &windows);

/// Writes a shard, whole or not at all.
Status writeTeacherShard(const std::string &folder, const TeacherRun &run, int64_t shard, const TeacherShard &data);
/// Errors: a file that is no shard, or of another run, by what it was found to differ in.
Status checkTeacherShard(const std::string &path, const TeacherRun &run);

/// What the shards of a folder agree on. Errors: no shard, shards that are missing, damaged or of several runs.
Status openTeacher(const std::string &folder, TeacherRun &out);
/// Reads one. Errors: values that no model gives.
Status readTeacherShard(const std::string &folder, const TeacherRun &run, int64_t shard, TeacherShard &out);

} // namespace xfmr
