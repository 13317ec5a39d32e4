// Reader and writer of the safetensors format: an 8-byte little-endian header length, a JSON header
// that names tensors with dtype, shape and byte range, then the bytes. Checkpoints, adapters and the
// .xfm container all use it. The reader believes nothing before it has checked everything.
#pragma once
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/DType.h"
#include "runtime/artifact/MappedFile.h"
#include "runtime/artifact/Status.h"
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace xfmr {

struct PackedTensor; // runtime/artifact/PackedTensor.h

/// One tensor of a file. `data` points into the mapping and may be unaligned for its dtype.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape; // row-major; empty for a scalar
  const uint8_t *data = nullptr;
  uint64_t byteSize = 0;
  uint64_t fileOffset = 0; // of `data` in the file
  uint32_t blocks = 0;     // of GGUF: the type (GgufType) of quantised blocks that rows consist of; `dtype` is u8 then
  const PackedTensor *packed = nullptr; // of a quantised checkpoint: the tensors whose numbers it stands for
};

/// "[2, 3]", for messages.
std::string shapeText(const std::vector<int64_t> &shape);

class SafetensorsFile {
public:
  /// Maps `path` and validates the whole header: sizes, JSON, duplicate keys, dtypes, shapes (without
  /// overflow), and that the tensors fill the data without a gap or an overlap.
  static Status open(const std::string &path, SafetensorsFile &out);

  const std::string &path() const { return file_.path(); }
  uint64_t fileSize() const { return file_.size(); }
  const MappedFile &mapping() const { return file_; }
  /// In the order of their bytes.
  const std::vector<TensorView> &tensors() const { return tensors_; }
  /// Null if there is none. Valid as long as the file object is neither moved from nor destroyed.
  const TensorView *find(std::string_view name) const;
  const std::map<std::string, std::string> &metadata() const { return metadata_; }

private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string, size_t> index_;
  std::map<std::string, std::string> metadata_;
};

/// Writes tensors in a streaming way: declare all, then append their bytes in that order, any number
/// of bytes a call. Nothing appears at `path` before finish();
/// destroyed before that, it leaves nothing.
class SafetensorsWriter {
public:
  Status declare(const std::string &name, DType dtype, const std::vector<int64_t> &shape);
  void setMetadata(const std::string &key, const std::string &value);
  /// Creates the temporary file and writes the header; no declare() or setMetadata() after this.
  Status begin(const std::string &path);
  /// Appends bytes to the tensors in the order of their declaration.
  Status append(const void *bytes, uint64_t size);
  /// Instead of append(): bytes of tensor `index` of the declared ones, `offset` bytes in. Each byte once.
  Status place(size_t index, uint64_t offset, const void *bytes, uint64_t size);
  /// Checks that every byte was given, then fsync and rename.
  Status finish();

private:
  struct Declared {
    std::string name;
    DType dtype;
    std::vector<int64_t> shape;
    uint64_t begin, end; // relative to the data
  };
  Status header(std::string &out) const;

  AtomicFile file_;
  std::vector<Declared> tensors_;
  std::unordered_set<std::string> names_;
  std::map<std::string, std::string> metadata_;
  uint64_t dataSize_ = 0;
  uint64_t written_ = 0; // data bytes so far
  uint64_t start_ = 0;   // of the data in the file
  bool begun_ = false;
};

/// Elements of a shape times the dtype's bits as whole bytes; false on overflow, a negative
/// dimension, or a bit count that is no multiple of 8.
bool tensorByteSize(DType dtype, const std::vector<int64_t> &shape, uint64_t &bytes);

} // namespace xfmr
