// See TeacherText.h.
#include "passes/transforms/distill/TeacherText.h"

namespace xfmr {

Status TeacherText::open(ModelOp model, const std::string &folder) {
  Status status = openTeacher(folder, run_);
  const int64_t vocab = model.getConfig().getVocabSize(), positions = model.getConfig().getMaxPosition();
  if (status.ok() && run_.vocab != vocab)
    return Status::error("teacher \"" + folder + "\" has a vocabulary of " + std::to_string(run_.vocab) +
                         ", the model of " + std::to_string(vocab));
  if (status.ok() && run_.window > positions)
    return Status::error("teacher \"" + folder + "\" has windows of " + std::to_string(run_.window) +
                         " tokens, the model " + std::to_string(positions) + " positions");
  for (int64_t shard = 0; status.ok() && shard < run_.shards(); ++shard)
    status = readTeacherShard(folder, run_, shard, shards_.emplace_back());
  return status;
}

std::vector<Sequence> TeacherText::sequences(int64_t first, int64_t count) const {
  TokenWindows windows;
  windows.length = run_.window;
  for (int64_t window = first; window < first + count; ++window) {
    const std::vector<int32_t> &ids = shards_[window / run_.shardWindows].ids;
    const auto begin = ids.begin() + window % run_.shardWindows * run_.window;
    windows.ids.insert(windows.ids.end(), begin, begin + run_.window);
  }
  return sequencesOf(windows);
}

double TeacherText::difference(int64_t window, int64_t position, const float *logits, double norm, float *q) const {
  const TeacherShard &shard = shards_[window / run_.shardWindows];
  const int64_t at = window % run_.shardWindows * run_.positions() + position;
  const int32_t *tokens = shard.tokens.data() + at * run_.topK;
  const float *told = shard.logProbabilities.data() + at * run_.topK;
  double others = 0, kl = 0;
  std::vector<float> own(run_.topK); // told tokens are put aside, then the rest is summed and scaled
  for (int64_t i = 0; i < run_.topK; ++i) {
    own[i] = q[tokens[i]];
    q[tokens[i]] = 0;
  }
  for (int64_t v = 0; v < run_.vocab; ++v)
    others += q[v];
  const double mass = shard.left[at], factor = others > 0 ? mass / others : 0;
  for (int64_t v = 0; v < run_.vocab; ++v)
    q[v] *= static_cast<float>(1 - factor);
  if (mass > 0 && others > 0)
    kl += mass * std::log(factor);
  for (int64_t i = 0; i < run_.topK; ++i) {
    const double p = std::exp(static_cast<double>(told[i]));
    kl += p * (told[i] - (logits[tokens[i]] - norm));
    q[tokens[i]] = static_cast<float>(own[i] - p);
  }
  return kl;
}

} // namespace xfmr
