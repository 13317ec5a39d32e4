// Reader and writer of GGUF version 3 (little-endian): typed key/value metadata, tensor descriptions, then aligned
// tensor bytes. The first dimension of a GGUF tensor is the contiguous one; here shapes are row-major as
// everywhere else, so [out, in] of a checkpoint reads [out, in]. The reader checks everything before anything is used.
#pragma once
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include "runtime/artifact/Status.h"
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xfmr {

/// Tensor types by their numbers in the file; those not here cannot be read as weights.
enum class GgufType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  iq4_nl = 20,
  iq4_xs = 23,
  bf16 = 30,
  mxfp4 = 39
};

/// A row is whole blocks of so many elements and bytes: one element of the float types. Nothing for a type that cannot be read.
struct GgufBlock {
  int64_t elements, bytes;
};
std::optional<GgufBlock> ggufBlock(uint32_t type);

/// A metadata value. Integers of every width are int64 (u64 above its range is refused), floats are double.
struct GgufValue {
  std::variant<int64_t, double, bool, std::string, std::vector<GgufValue>> value;
  const int64_t *integer() const { return std::get_if<int64_t>(&value); }
  const bool *flag() const { return std::get_if<bool>(&value); }
  const std::string *text() const { return std::get_if<std::string>(&value); }
  const std::vector<GgufValue> *list() const { return std::get_if<std::vector<GgufValue>>(&value); }
};

struct GgufTensor {
  std::string name;
  uint32_t type = 0;          // GgufType, or another number
  std::vector<int64_t> shape; // row-major
  const uint8_t *data = nullptr;
  uint64_t byteSize = 0;
};

class GgufFile {
public:
  /// Maps and validates `path`. Tensors of other types than GgufType have no data and size 0, so that a
  /// message can name them.
  static Status open(const std::string &path, GgufFile &out);

  const std::string &path() const { return file_.path(); }
  const std::vector<GgufTensor> &tensors() const { return tensors_; }
  const std::map<std::string, GgufValue> &metadata() const { return metadata_; }
  /// Null if there is none.
  const GgufValue *find(const std::string &key) const;

private:
  friend class GgufParser;
  MappedFile file_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, GgufValue> metadata_;
};

/// "F32", "Q4_K", or the number.
std::string ggufTypeName(uint32_t type);

/// Streams a file: metadata and declarations, begin(), the tensors' bytes in order, finish(). Nothing appears at the path
/// before finish().
class GgufWriter {
public:
  void addText(const std::string &key, const std::string &value);
  void addU32(const std::string &key, uint32_t value);
  void addF32(const std::string &key, float value);
  void addBool(const std::string &key, bool value);
  void addBools(const std::string &key, const std::vector<GgufValue> &values);
  void addTexts(const std::string &key, const std::vector<std::string> &values);
  void addF32s(const std::string &key, const std::vector<float> &values);
  void addI32s(const std::string &key, const std::vector<int32_t> &values);
  void addBytes(const std::string &key, std::string_view bytes);

  /// `shape` row-major; the last extent whole blocks of the type.
  Status declare(const std::string &name, GgufType type, const std::vector<int64_t> &shape);
  Status begin(const std::string &path);
  /// Bytes of the declared tensors in their order; padding between them is added here.
  Status append(const void *bytes, uint64_t size);
  Status finish();

private:
  void key(const std::string &name, uint32_t type);
  Status padTo(uint64_t alignment);

  AtomicFile file_;
  std::string metadata_, infos_; // as they stand in the file
  uint64_t keys_ = 0;
  std::vector<uint64_t> sizes_;  // of each tensor
  uint64_t offset_ = 0;          // of the next declared tensor
  uint64_t position_ = 0;        // in the file
  size_t current_ = 0;           // tensor being written
  uint64_t remaining_ = 0;       // bytes it still lacks
};

} // namespace xfmr
