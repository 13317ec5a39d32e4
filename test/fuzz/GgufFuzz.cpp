// A GGUF file: its counts, lengths, types, extents and offsets are found by walking a right file, and changed one by one.
#include "runtime/artifact/Gguf.h"
#include "test/fuzz/Fuzz.h"
#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace xfmr::fuzz {
namespace {

struct Field {
  size_t at, width;
};

/// Where the numbers of the structure are, as far as the bytes make sense.
class Walker {
public:
  explicit Walker(const std::string &data) : data_(data) {
    number(4); // magic
    number(4);
    const uint64_t tensors = number(8), pairs = number(8);
    for (uint64_t i = 0; i < pairs && ok_; ++i) {
      text();
      value(number(4), 0);
    }
    for (uint64_t i = 0; i < tensors && ok_; ++i) {
      text();
      const uint64_t rank = number(4);
      for (uint64_t axis = 0; axis < rank && ok_; ++axis)
        number(8);
      number(4);
      number(8);
    }
  }
  std::vector<Field> fields;

private:
  uint64_t number(size_t width) {
    uint64_t result = 0;
    if (!ok_ || data_.size() - at_ < width) {
      ok_ = false;
      return 0;
    }
    std::memcpy(&result, data_.data() + at_, width);
    fields.push_back({at_, width});
    at_ += width;
    return result;
  }

  void skip(uint64_t count) {
    ok_ &= count <= data_.size() - at_;
    at_ += ok_ ? count : 0;
  }

  void text() { skip(number(8)); }

  void value(uint64_t type, int depth) {
    static constexpr size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == 8)
      return text();
    if (type != 9)
      return type < std::size(widths) ? static_cast<void>(number(widths[type])) : skip(~uint64_t(0));
    const uint64_t element = number(4), count = number(8);
    for (uint64_t i = 0; i < count && ok_ && depth < 3; ++i)
      value(element, depth + 1);
  }

  const std::string &data_;
  size_t at_ = 0;
  bool ok_ = true;
};

std::string written() {
  std::string path = "/tmp/xfmr-gguf-seed-XXXXXX";
  close(mkstemp(path.data()));
  GgufWriter writer;
  writer.addText("general.architecture", "llama");
  writer.addU32("llama.block_count", 2);
  writer.addF32("llama.rope.freq_base", 10000.0f);
  writer.addBool("tokenizer.ggml.add_bos_token", true);
  writer.addTexts("tokenizer.ggml.tokens", {"a", "b", "<0x0A>"});
  writer.addF32s("tokenizer.ggml.scores", {0.0f, -1.0f, -2.0f});
  writer.addI32s("tokenizer.ggml.token_type", {1, 1, 6});
  bool ok = writer.declare("token_embd.weight", GgufType::f32, {3, 4}).ok() &&
            writer.declare("q", GgufType::q8_0, {2, 32}).ok() && writer.begin(path).ok();
  const std::string numbers(48, '\x3c'), blocks(2 * 34, '\x11');
  ok = ok && writer.append(numbers.data(), numbers.size()).ok() && writer.append(blocks.data(), blocks.size()).ok() &&
       writer.finish().ok();
  std::ifstream file(path, std::ios::binary);
  std::string data{std::istreambuf_iterator<char>(file), {}};
  unlink(path.c_str());
  return ok ? data : std::string();
}

} // namespace

std::vector<std::string> seeds() {
  static const std::string seed = written();
  return {seed};
}

std::string mutated(std::string data, Random &random) {
  const std::vector<Field> fields = Walker(data).fields;
  if (fields.empty() || random.oneIn(8))
    return mutatedBytes(std::move(data), random);
  const Field field = fields[random.below(fields.size())];
  const uint64_t number = edge(random);
  std::memcpy(data.data() + field.at, &number, field.width);
  return data;
}

std::string readOnce(const std::string &, const std::string &path) {
  GgufFile opened;
  if (Status status = GgufFile::open(path, opened); status.failed())
    return status.message();
  uint8_t sum = 0;
  for (const GgufTensor &tensor : opened.tensors())
    for (uint64_t i = 0; tensor.data && i < tensor.byteSize; ++i)
      sum = static_cast<uint8_t>(sum + tensor.data[i]);
  volatile uint8_t used = sum;
  static_cast<void>(used);
  return {};
}

} // namespace xfmr::fuzz
