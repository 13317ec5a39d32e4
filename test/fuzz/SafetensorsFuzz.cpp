// A safetensors file: its header's JSON is changed and, mostly, its length made right again.
#include "runtime/artifact/Safetensors.h"
#include "test/fuzz/Fuzz.h"
#include <cstring>

namespace xfmr::fuzz {

static std::string file(const std::string &header, const std::string &data) {
  uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

std::vector<std::string> seeds() {
  return {
      file(
          R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
          R"("b.weight":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[],"data_offsets":[32,40]},)"
          R"("d":{"dtype":"U8","shape":[0,7],"data_offsets":[40,40]}})",
          std::string(40, '\x3f')),
      file("{}", ""),
      file(R"({"x":{"dtype":"F16","shape":[1,1,1,1,2],"data_offsets":[0,4]}}      )", "abcd"),
  };
}

std::string mutated(std::string data, Random &random) {
  uint64_t length = 0;
  if (data.size() >= 8)
    std::memcpy(&length, data.data(), 8);
  if (random.oneIn(8) || data.size() < 8 || length > data.size() - 8)
    return mutatedBytes(std::move(data), random);
  const std::string header = mutatedJson(data.substr(8, length), random), rest = data.substr(8 + length);
  std::string whole = file(header, rest);
  if (random.oneIn(16)) {
    const uint64_t wrong = edge(random);
    std::memcpy(whole.data(), &wrong, 8);
  }
  return whole;
}

std::string readOnce(const std::string &, const std::string &path) {
  SafetensorsFile opened;
  if (Status status = SafetensorsFile::open(path, opened); status.failed())
    return status.message();
  uint8_t sum = 0;
  for (const TensorView &tensor : opened.tensors()) // all that it lets in lies within the file
    for (uint64_t i = 0; i < tensor.byteSize; ++i)
      sum = static_cast<uint8_t>(sum + tensor.data[i]);
  volatile uint8_t used = sum;
  static_cast<void>(used);
  return {};
}

} // namespace xfmr::fuzz
