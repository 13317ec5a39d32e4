// A shard of a teacher: metadata, shapes and numbers, read as training reads them.
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Teacher.h"
#include "test/fuzz/Fuzz.h"
#include <cstdlib>
#include <filesystem>

namespace xfmr::fuzz {

static TeacherRun rightRun() {
  TeacherRun run;
  run.vocab = 4;
  run.topK = 2;
  run.window = 3;
  run.windows = run.shardWindows = 2;
  run.model = "0123456789abcdef0123456789abcdef";
  run.text = "fedcba9876543210fedcba9876543210";
  return run;
}

static std::string written() {
  std::string folder = "/tmp/xfmr-teacher-seed-XXXXXX", data;
  if (!mkdtemp(folder.data()))
    std::abort();
  const TeacherRun run = rightRun();
  TeacherShard shard;
  shard.ids = {0, 1, 2, 0, 3, 1};
  const float logits[] = {0.0f, 1.0f, -2.0f, 0.5f};
  for (int32_t following : {1, 2, 3, 1})
    shard.add(run, logits, following);
  if (writeTeacherShard(folder, run, 0, shard).ok())
    data = bytesOf(run.path(folder, 0));
  std::filesystem::remove_all(folder);
  return data;
}

std::vector<std::string> seeds() {
  static const std::string seed = written();
  return {seed};
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("ids tokens log_probabilities left next vocab top_k window windows shard_windows text model "
              "xfmr.teacher I32 F32 F64 0 1 2 3 4 -1 999999999999999 4294967296");
  return mutatedSafetensors(std::move(data), random, words);
}

/// What the file says of its run, believed, then what it holds.
std::string readOnce(const std::string &data) {
  const TeacherRun right = rightRun();
  const File file(right.path(kPath, 0), data);
  SafetensorsFile opened;
  if (Status status = SafetensorsFile::open(right.path(kPath, 0), opened); status.failed())
    return status.message();
  TeacherRun run = right;
  const auto take = [&](const char *key, int64_t &out) {
    auto found = opened.metadata().find(key);
    const long long value = found == opened.metadata().end() ? 0 : std::strtoll(found->second.c_str(), nullptr, 10);
    if (value > 0 && value < 1000000000000000)
      out = value;
  };
  take("vocab", run.vocab);
  take("top_k", run.topK);
  take("window", run.window);
  TeacherShard shard;
  Status status = readTeacherShard(kPath, run, 0, shard);
  return status.failed() ? status.message() : std::string();
}

} // namespace xfmr::fuzz
