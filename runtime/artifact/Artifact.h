// Opens an .xfm artifact. Everything is validated before anything is used: the container, the version,
// the checksum of every byte, the FlatBuffers program, and every index, size and alignment in it. After
// open() succeeds the runtime carries the program out without further checks of the file.
#pragma once
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Status.h"
#include <iterator>
#include <string>
#include <string_view>

namespace xfmr::artifact {

class Artifact {
public:
  /// Maps and validates `path`. Errors name the file, what was found and what is needed.
  static Status open(const std::string &path, Artifact &out);

  /// The program of a target; null if the artifact has none for it. There is one at least.
  const program::Program *program(Target target) const { return programs_[static_cast<size_t>(target)]; }
  /// The first program there is, for facts about the model: all programs agree about them.
  const program::Program &program() const;
  /// "vulkan and cpu", for messages.
  std::string targets() const;

  /// A tensor by name, null if there is none: weights, kernels, embedded files.
  const TensorView *tensor(std::string_view name) const { return file_.find(name); }
  /// An embedded text file (kTokenizerTensor …); empty if the artifact has none.
  std::string_view text(std::string_view name) const;

  const SafetensorsFile &file() const { return file_; }
  const std::string &path() const { return file_.path(); }

private:
  SafetensorsFile file_;
  Status readProgram(Target target);

  const program::Program *programs_[std::size(kTargets)] = {};
};

/// The phase of a name; null for "prefill_few" where there is none, and for unknown names.
const program::Phase *findPhase(const program::Program &program, std::string_view name);
/// Whether it gives hidden states and generates nothing: it has no phase "decode", and takes a text in one run.
bool isEncoder(const program::Program &program);
/// An encoder with a decoder: before it continues anything it reads a source, by the phase "encode".
bool readsSource(const program::Program &program);
/// Floats of a row of what it gives: logits, or hidden states of an encoder.
uint32_t outputWidth(const program::Program &program);
/// Index of the only buffer of a kind (state, tokens, output, logits); -1 if there is none.
int bufferOfKind(const program::Program &program, program::BufferKind kind);

/// Indices of the buffers of values that the program keeps of each token, rows of f32 at strides of paddedWidth(columns); none where
/// xfmr-insert-probes put none.
std::vector<uint32_t> probesOf(const program::Program &program);

} // namespace xfmr::artifact
