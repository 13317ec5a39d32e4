// Opens an .xfm artifact. Everything is validated before anything is used: the container, the version,
// the checksum of every byte, the FlatBuffers program, and every index, size and alignment in it. After
// open() succeeds the runtime carries the program out without further checks of the file.
#pragma once
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Status.h"
#include <string>
#include <string_view>

namespace xfmr::artifact {

class Artifact {
public:
  /// Maps and validates `path`. Errors name the file, what was found and what is needed.
  static Status open(const std::string &path, Artifact &out);

  const program::Program &program() const { return *program_; }
  /// The phase of a name; null for "prefill_few" where there is none, and for unknown names.
  const program::Phase *phase(std::string_view name) const;
  /// Index of the only buffer of a kind (state, tokens, output, logits); -1 if there is none.
  int bufferOfKind(program::BufferKind kind) const;

  /// A tensor by name, null if there is none: weights, kernels, embedded files.
  const TensorView *tensor(std::string_view name) const { return file_.find(name); }
  /// An embedded text file (kTokenizerTensor …); empty if the artifact has none.
  std::string_view text(std::string_view name) const;

  const SafetensorsFile &file() const { return file_; }
  const std::string &path() const { return file_.path(); }

private:
  SafetensorsFile file_;
  const program::Program *program_ = nullptr;
};

} // namespace xfmr::artifact
