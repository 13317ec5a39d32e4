// See TeacherRun.h.
#include "tools/xfmr-run/TeacherRun.h"
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Teacher.h"
#include "tools/xfmr-run/Interrupt.h"
#include "tools/xfmr-run/TextWindows.h"
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::run;

namespace {

constexpr uint32_t kTopK = 64;

// The artifact's checksum, in hexadecimal digits.
Status checksumOf(const std::string &path, std::string &out) {
  SafetensorsFile file;
  if (Status s = SafetensorsFile::open(path, file); s.failed())
    return s;
  const TensorView *stored = file.find(artifact::kChecksumTensor);
  for (uint64_t i = 0; stored && i < stored->byteSize; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", stored->data[i]);
    out += digits;
  }
  return Status::success();
}

// Where a window's logits go.
struct Sink {
  const TeacherRun &run;
  const std::vector<int32_t> &window;
  TeacherShard &shard;
};

void onLogits(void *user, uint32_t first, uint32_t rows, const float *logits, size_t stride) {
  Sink &sink = *static_cast<Sink *>(user);
  for (uint32_t row = 0; row < rows && first + row + 1 < sink.window.size(); ++row)
    sink.shard.add(sink.run, logits + row * stride, sink.window[first + row + 1]);
}

Status runWindow(const SessionHandle &session, const TeacherRun &run, const std::vector<int32_t> &window,
                 TeacherShard &shard) {
  shard.ids.insert(shard.ids.end(), window.begin(), window.end());
  Sink sink{run, window, shard};
  xfmr_session_reset(session.get());
  return checked(xfmr_prefill_logits(session.get(), window.data(), window.size(), onLogits, &sink));
}

} // namespace

Status xfmr::run::teach(const ModelHandle &model, const Options &options) {
  const xfmr_model_info info = infoOf(model);
  TeacherRun run;
  run.vocab = info.vocab_size;
  run.topK = std::min(options.sampling.top_k ? options.sampling.top_k : kTopK, info.vocab_size);
  run.window = options.window;
  run.shardWindows = options.shardWindows;
  std::vector<std::vector<int32_t>> windows;
  for (const std::string &path : options.teacherTexts)
    if (Status s = appendWindows(model, options, path, windows); s.failed())
      return s;
  run.windows = static_cast<int64_t>(windows.size());
  run.text = teacherHash(windows);
  if (Status s = checksumOf(options.artifact, run.model); s.failed())
    return s;
  const std::string &folder = options.teacherPath;
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return Status::error("cannot make folder \"" + folder + "\": " + code.message());
  // Whatever is there must be of this run, also where a name says another number of shards.
  for (const auto &entry : std::filesystem::directory_iterator(folder, code))
    if (entry.path().filename().string().rfind("teacher-", 0) == 0 && entry.path().extension() == ".safetensors")
      if (Status s = checkTeacherShard(entry.path().string(), run); s.failed())
        return Status::error(s.message() + "; give another folder, or remove it");

  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  const Interruptible interruptible;
  int64_t written = 0, done = 0;
  for (int64_t shard = 0; shard < run.shards(); ++shard) {
    if (std::filesystem::exists(run.path(folder, shard))) {
      done += run.windowsOf(shard);
      continue;
    }
    TeacherShard data;
    for (int64_t i = 0; i < run.windowsOf(shard); ++i, ++done) {
      if (wasInterrupted()) {
        std::fprintf(stderr, "xfmr-run: interrupted after %lld of %lld shards; the same command goes on\n",
                     static_cast<long long>(shard), static_cast<long long>(run.shards()));
        return Status::success();
      }
      if (Status s = runWindow(session, run, windows[shard * run.shardWindows + i], data); s.failed())
        return s;
      if (::isatty(STDERR_FILENO))
        std::fprintf(stderr, "\r%lld of %lld windows", static_cast<long long>(done + 1),
                     static_cast<long long>(run.windows));
    }
    if (Status s = writeTeacherShard(folder, run, shard, data); s.failed())
      return s;
    ++written;
  }
  if (::isatty(STDERR_FILENO))
    std::fprintf(stderr, "\n");
  std::printf(
      options.json ? "{\"shards\": %lld, \"written\": %lld, \"windows\": %lld, \"tokens\": %lld, \"top_k\": %lld}\n"
                   : "%lld shards, %lld written now: %lld windows, %lld positions, the %lld likeliest tokens of each\n",
      static_cast<long long>(run.shards()), static_cast<long long>(written), static_cast<long long>(run.windows),
      static_cast<long long>(run.windows * run.positions()), static_cast<long long>(run.topK));
  return Status::success();
}
