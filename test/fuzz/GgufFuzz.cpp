// A GGUF file: its counts, lengths, types, extents and offsets are found by walking a right file, and changed one by one; keys and
// tensors come and go with the counts right, and texts change with their lengths.
#include "runtime/artifact/Gguf.h"
#include "test/fuzz/Fuzz.h"
#include <cstring>
#include <unistd.h>

namespace xfmr::fuzz {
namespace {

constexpr size_t kTensorCount = 8, kKeyCount = 16,
                 kAlignment = 32; // where the counts are; what the seeds are aligned to

struct Field {
  size_t at, width;
  bool isLength = false; // of a text that follows
};
struct Item {
  size_t begin, end, count; // of a key or tensor, and where it is counted
};

/// Where the numbers of the structure are, as far as the bytes make sense.
class Walker {
public:
  explicit Walker(const std::string &data) : data_(data) {
    number(4); // magic
    number(4);
    const uint64_t tensors = number(8), pairs = number(8);
    for (uint64_t i = 0; i < pairs && ok_; ++i) {
      const size_t begin = at_;
      text();
      value(number(4), 0);
      item(begin, kKeyCount);
    }
    for (uint64_t i = 0; i < tensors && ok_; ++i) {
      const size_t begin = at_;
      text();
      const uint64_t rank = number(4);
      for (uint64_t axis = 0; axis < rank && ok_; ++axis)
        number(8);
      number(4);
      number(8);
      item(begin, kTensorCount);
    }
  }
  std::vector<Field> fields;
  std::vector<Item> items;
  size_t head() const { return at_; } // where the descriptions end
  bool ok() const { return ok_; }

private:
  uint64_t number(size_t width, bool isLength = false) {
    uint64_t result = 0;
    if (!ok_ || data_.size() - at_ < width) {
      ok_ = false;
      return 0;
    }
    std::memcpy(&result, data_.data() + at_, width);
    fields.push_back({at_, width, isLength});
    at_ += width;
    return result;
  }

  void skip(uint64_t count) {
    ok_ &= count <= data_.size() - at_;
    at_ += ok_ ? count : 0;
  }

  void item(size_t begin, size_t count) {
    if (ok_)
      items.push_back({begin, at_, count});
  }

  void text() { skip(number(8, true)); }

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
  std::string data = bytesOf(path);
  unlink(path.c_str());
  return ok ? data : std::string();
}

size_t aligned(size_t at) {
  return (at + kAlignment - 1) / kAlignment * kAlignment;
}

void add(std::string &data, size_t at, uint64_t difference) {
  uint64_t number = 0;
  std::memcpy(&number, data.data() + at, 8);
  number += difference;
  std::memcpy(data.data() + at, &number, 8);
}

/// What stands in [begin, end) of the descriptions becomes `text`, and the tensors' bytes stay where they are looked for.
std::string replaced(const std::string &data, size_t head, size_t begin, size_t end, std::string_view text) {
  std::string now = data.substr(0, begin).append(text) + data.substr(end, head - end);
  now.resize(aligned(now.size()));
  return now + data.substr(std::min(aligned(head), data.size()));
}

} // namespace

std::vector<std::string> seeds() {
  static const std::string seed = written();
  return {seed};
}

std::string mutated(std::string data, Random &random) {
  const Walker walker(data);
  const std::vector<Field> &fields = walker.fields;
  if (fields.empty() || random.oneIn(8))
    return mutatedBytes(std::move(data), random);
  if (walker.ok() && !walker.items.empty() && random.oneIn(4)) {
    const Item item = walker.items[random.below(walker.items.size())];
    const std::string text = data.substr(item.begin, item.end - item.begin);
    const bool goes = random.oneIn(2);
    add(data, item.count, goes ? ~uint64_t(0) : 1);
    return replaced(data, walker.head(), goes ? item.begin : item.end, item.end, goes ? std::string() : text);
  }
  const Field field = fields[random.below(fields.size())];
  if (walker.ok() && field.isLength && random.oneIn(2)) {
    uint64_t length = 0;
    std::memcpy(&length, data.data() + field.at, 8);
    const std::string text = mutatedBytes(data.substr(field.at + 8, length), random);
    const uint64_t now = text.size();
    std::memcpy(data.data() + field.at, &now, 8);
    return replaced(data, walker.head(), field.at + 8, field.at + 8 + length, text);
  }
  const uint64_t number = random.oneIn(3) ? random.below(40) : edge(random); // small ones are types and ranks
  std::memcpy(data.data() + field.at, &number, field.width);
  return data;
}

std::string readOnce(const std::string &data) {
  const std::string path = std::string(kPath) + "x.gguf";
  const File file(path, data);
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
