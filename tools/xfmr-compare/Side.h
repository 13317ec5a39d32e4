// One of the two models: anything that gives logits for a window of tokens.
#pragma once
#include "runtime/artifact/Status.h"
#include "tools/xfmr-compare/Logits.h"
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace xfmr::compare {

class Side {
public:
  virtual ~Side() = default;

  int64_t vocab = 0, maxContext = 0;
  int64_t bos = -1; // -1: the model names none
  uint64_t parameters = 0; // known once prepared; 0: not known

  virtual bool hasTokenizer() const = 0;
  /// Ids of a text, nothing added.
  virtual Status encode(const std::string &text, std::vector<int32_t> &ids) const = 0;
  /// Once, before the first logits: windows will have this many tokens, which fit.
  virtual Status prepare(int64_t window) { return Status::success(); }
  /// Logits [T, vocab] of a window that starts at position 0.
  virtual Status logits(const std::vector<int32_t> &window, Logits &out) = 0;
};

/// NAME=PATH options: for models that are IR, which have sources to replace. A name must be one of A's or of B's.
struct SourceOptions {
  std::map<std::string, std::string> paths;
  std::set<std::string> known; // of the sides opened so far
  Status check() const;
};

/// Opens a MODEL through the reference interpreter, as it is after `passes` (a pipeline, or nothing).
Status openInterpreted(const std::string &path, const std::string &passes, SourceOptions &sources, std::unique_ptr<Side> &out);

/// Opens a MODEL to be compiled for this CPU. Nothing is left of the artifact when the process ends, however it ends.
Status openCompiled(const std::string &path, const std::string &passes, SourceOptions &sources, std::unique_ptr<Side> &out);

/// Opens a compiled model (.xfm) on the device that the runtime chooses.
Status openArtifact(const std::string &path, std::unique_ptr<Side> &out);

/// Whichever of these a path asks for; with `reference` models that are no .xfm by the interpreter.
Status openSide(const std::string &path, const std::string &passes, SourceOptions &sources, bool reference, std::unique_ptr<Side> &out);

} // namespace xfmr::compare
