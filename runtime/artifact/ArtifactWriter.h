// Writes an .xfm container in one streaming pass: declare every tensor, begin, append the bytes in the
// order of declaration, finish. Memory use is one write buffer whatever the model's size. The file
// appears under its name only when finish() succeeds (temporary file, fsync, rename).
#pragma once
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Status.h"
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace xfmr::artifact {

class ArtifactWriter {
public:
  explicit ArtifactWriter(std::string path);
  /// Into a file without a name, which nobody sees but who holds `descriptor`.
  explicit ArtifactWriter(int descriptor);
  /// Removes the temporary file unless finish() succeeded.
  ~ArtifactWriter();
  ArtifactWriter(const ArtifactWriter &) = delete;
  ArtifactWriter &operator=(const ArtifactWriter &) = delete;

  /// Announces the next tensor. `dtype` is a safetensors name (U8, I32, F16, BF16, F32 …); its bytes are
  /// the product of `shape` and the dtype's size. Padding and checksum are added by the writer itself.
  /// Fails on a duplicate or reserved name, an unknown dtype, an empty tensor, and after begin().
  Status declare(const std::string &name, const std::string &dtype, const std::vector<uint64_t> &shape);
  /// The same for a byte tensor: U8 [bytes].
  Status declareBytes(const std::string &name, uint64_t bytes);

  /// Creates the temporary file and writes the header. kVersionKey is added to `metadata`.
  Status begin(const std::map<std::string, std::string> &metadata = {});

  /// Appends to the current tensor (the first declared one at the start), in as many chunks as
  /// convenient. A chunk may not run over the end of the tensor.
  Status append(const void *data, size_t bytes);
  /// Checks that the next byte belongs to the beginning of `name`: keeps an emitter honest about order.
  Status expect(const std::string &name) const;

  /// Writes the checksum, flushes to the disk and renames. Fails if bytes are still missing.
  Status finish();

  /// Bytes of tensor data declared so far, without padding: for progress.
  uint64_t declaredBytes() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace xfmr::artifact
