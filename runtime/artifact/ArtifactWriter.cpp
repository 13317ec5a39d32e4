// Streaming writer of .xfm containers; see ArtifactWriter.h and Format.h for the layout.
#include "runtime/artifact/ArtifactWriter.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/DType.h"
#include <set>
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::artifact;

namespace {

struct Tensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  uint64_t bytes = 0;
  bool pad = false; // written by the writer, not by the caller
};

// A large page, written at a multiple of it: a file system that keeps what is written in large pages has the weights in them when the
// file is mapped, and reading them waits less for page tables (docs/Performance.md).
constexpr size_t kWriteBuffer = 2 << 20;

std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

std::string headerText(const std::vector<Tensor> &tensors,
                       const std::map<std::string, std::string> &metadata) {
  std::string json = "{\"__metadata__\":{";
  const char *separator = "";
  for (const auto &[key, value] : metadata) {
    json += separator + quoted(key) + ":" + quoted(value);
    separator = ",";
  }
  json += "}";
  uint64_t offset = 0;
  for (const Tensor &tensor : tensors) {
    json += ",\n" + quoted(tensor.name) + ":{\"dtype\":" + quoted(tensor.dtype) + ",\"shape\":[";
    for (size_t i = 0; i < tensor.shape.size(); ++i)
      json += (i ? "," : "") + std::to_string(tensor.shape[i]);
    json += "],\"data_offsets\":[" + std::to_string(offset) + "," +
            std::to_string(offset + tensor.bytes) + "]}";
    offset += tensor.bytes;
  }
  json += "}";
  uint64_t total = (8 + json.size() + kPageBytes - 1) / kPageBytes * kPageBytes;
  json.resize(total - 8, ' ');
  return json;
}

} // namespace

struct ArtifactWriter::State {
  std::string path;
  int descriptor = -1; // of a file without a name
  AtomicFile file;
  std::vector<Tensor> tensors;
  std::set<std::string> names;
  uint64_t offset = 0;        // end of the tensors declared so far
  uint64_t payload = 0;       // the same without padding
  uint32_t pads = 0;
  bool begun = false, finished = false;
  size_t current = 0;         // tensor that takes the next byte
  uint64_t written = 0;       // bytes of it written so far
  std::vector<char> buffer;
  XXH3_state_t *hash = nullptr;

  void addTensor(Tensor tensor) {
    offset += tensor.bytes;
    tensors.push_back(std::move(tensor));
  }

  void padTo(uint64_t alignment) {
    uint64_t bytes = (alignment - offset % alignment) % alignment;
    if (bytes)
      addTensor({kPadPrefix + std::to_string(pads++), "U8", {bytes}, bytes, true});
  }

  Status flush() {
    Status status = file.write(buffer.data(), buffer.size());
    buffer.clear();
    return status;
  }

  Status put(const void *data, size_t bytes) {
    XXH3_128bits_update(hash, data, bytes);
    const char *from = static_cast<const char *>(data);
    while (bytes) {
      size_t n = std::min(bytes, kWriteBuffer - buffer.size());
      buffer.insert(buffer.end(), from, from + n);
      from += n;
      bytes -= n;
      if (buffer.size() == kWriteBuffer)
        if (Status status = flush(); status.failed())
          return status;
    }
    return Status::success();
  }

  /// Moves past complete tensors and writes the padding that follows them.
  Status advance() {
    while (current < tensors.size()) {
      if (tensors[current].pad && written == 0) {
        static const char zeros[kPageBytes] = {};
        if (Status status = put(zeros, tensors[current].bytes); status.failed())
          return status;
        written = tensors[current].bytes;
      }
      if (written < tensors[current].bytes)
        break;
      ++current;
      written = 0;
    }
    return Status::success();
  }
};

ArtifactWriter::ArtifactWriter(std::string path) : state(std::make_unique<State>()) {
  state->path = std::move(path);
}
ArtifactWriter::ArtifactWriter(int descriptor) : state(std::make_unique<State>()) { state->descriptor = descriptor; }

ArtifactWriter::~ArtifactWriter() { XXH3_freeState(state->hash); }

Status ArtifactWriter::declare(const std::string &name, const std::string &dtype,
                               const std::vector<uint64_t> &shape) {
  if (state->begun)
    return Status::error("tensor '" + name + "' was declared after the header was written");
  if (name.empty() || name == "__metadata__" || name == kChecksumTensor ||
      name.rfind(kPadPrefix, 0) == 0)
    return Status::error("tensor name '" + name + "' is reserved");
  if (!state->names.insert(name).second)
    return Status::error("tensor '" + name + "' was declared twice");
  std::optional<DType> type = parseDType(dtype);
  if (!type || dtypeBits(*type) % 8)
    return Status::error("tensor '" + name + "' has the unknown dtype '" + dtype + "'");
  uint64_t bytes = dtypeBits(*type) / 8;
  for (uint64_t dim : shape)
    if (__builtin_mul_overflow(bytes, dim, &bytes) || bytes > (uint64_t(1) << 50))
      return Status::error("tensor '" + name + "' is too large");
  if (!bytes)
    return Status::error("tensor '" + name + "' is empty");
  state->padTo(bytes >= kPageBytes ? kPageBytes : kTensorAlign);
  state->addTensor({name, dtype, shape, bytes, false});
  state->payload += bytes;
  return Status::success();
}

Status ArtifactWriter::declareBytes(const std::string &name, uint64_t bytes) {
  return declare(name, "U8", {bytes});
}

Status ArtifactWriter::begin(const std::map<std::string, std::string> &metadata) {
  if (state->begun)
    return Status::error("the header was written already");
  state->padTo(kTensorAlign);
  state->addTensor({kChecksumTensor, "U8", {kChecksumBytes}, kChecksumBytes, false});
  std::map<std::string, std::string> full = metadata;
  full[kVersionKey] = std::to_string(kProgramVersion);

  Status opened = state->descriptor < 0 ? state->file.open(state->path) : state->file.openUnnamed(state->descriptor);
  if (opened.failed())
    return opened;
  state->begun = true;
  state->buffer.reserve(kWriteBuffer);
  state->hash = XXH3_createState();
  if (!state->hash)
    return Status::error("out of memory");
  XXH3_128bits_reset(state->hash);

  std::string header = headerText(state->tensors, full);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  if (Status status = state->put(length, sizeof length); status.failed())
    return status;
  if (Status status = state->put(header.data(), header.size()); status.failed())
    return status;
  return state->advance();
}

Status ArtifactWriter::append(const void *data, size_t bytes) {
  if (!state->begun || state->finished)
    return Status::error("bytes were appended outside begin and finish");
  if (!bytes)
    return Status::success();
  const Tensor &tensor = state->tensors[state->current];
  if (state->current + 1 >= state->tensors.size())
    return Status::error(std::to_string(bytes) + " bytes were appended after the last declared tensor");
  if (bytes > tensor.bytes - state->written)
    return Status::error("tensor '" + tensor.name + "' has " + std::to_string(tensor.bytes) +
                         " bytes, got " + std::to_string(state->written + bytes));
  if (Status status = state->put(data, bytes); status.failed())
    return status;
  state->written += bytes;
  return state->advance();
}

Status ArtifactWriter::expect(const std::string &name) const {
  if (!state->begun)
    return Status::error("the header is not written yet");
  const Tensor &tensor = state->tensors[state->current];
  if (tensor.name == name && state->written == 0)
    return Status::success();
  return Status::error("tensor '" + name + "' comes out of order: byte " +
                       std::to_string(state->written) + " of '" + tensor.name + "' is next");
}

Status ArtifactWriter::finish() {
  if (!state->begun || state->finished)
    return Status::error("finish without begin");
  if (state->current + 1 < state->tensors.size()) {
    const Tensor &tensor = state->tensors[state->current];
    return Status::error("tensor '" + tensor.name + "' has " + std::to_string(tensor.bytes) +
                         " bytes, got " + std::to_string(state->written));
  }
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state->hash));
  static_assert(sizeof digest == kChecksumBytes, "the checksum tensor holds one XXH3-128");
  if (Status status = state->put(&digest, sizeof digest); status.failed())
    return status;
  if (Status status = state->flush(); status.failed())
    return status;
  if (Status status = state->file.commit(); status.failed())
    return status;
  state->finished = true;
  return Status::success();
}

uint64_t ArtifactWriter::declaredBytes() const { return state->payload; }
