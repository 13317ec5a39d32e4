// Probes of a prompt as a safetensors file.
#pragma once
#include "runtime/artifact/Safetensors.h"
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::run {

/// A tensor [T, columns] of f32 a probe; for one that keeps the largest numbers of rows (NAME.top) their columns too, as
/// NAME.top.ids of i32. Rows come chunk by chunk and go where they belong, so that no more than a chunk is held.
class ProbeFile {
public:
  /// Errors: an artifact without probes.
  Status open(const ModelHandle &model, int64_t tokens, const std::string &path);

  /// Runs `ids` in a session that has seen nothing; they are rows `first` … of the file. Logits go to `onLogits` if it is given.
  Status run(const SessionHandle &session, const std::vector<int32_t> &ids, int64_t first, xfmr_on_logits onLogits = nullptr,
             void *user = nullptr);

  /// Errors: not all rows were given. Nothing is at `path` before.
  Status finish() { return file_.finish(); }

  struct Probe {
    std::string name;
    uint32_t columns; // numbers of a row, without the columns of a top
    size_t tensor;    // of the file; that of a top's columns is behind it
    bool top;
  };
  const std::vector<Probe> &probes() const { return probes_; }

private:
  Status place(size_t index, int64_t row, const float *values);

  SafetensorsWriter file_;
  std::vector<Probe> probes_;
};

/// Runs the prompt in a fresh session and writes what its probes keep, and logits f32 [T, vocab] to `logitsPath` unless
/// it is empty. Nothing is at `path` unless all of it was written. Errors: those of ProbeFile; of an artifact without probes
/// the message has the command that writes those of the prompt.
Status writeProbes(const ModelHandle &model, const SessionHandle &session, const std::vector<int32_t> &prompt,
                   const std::string &path, const std::string &logitsPath);

} // namespace xfmr::run
