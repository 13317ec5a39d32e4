// A safetensors file: its header's JSON is changed and, mostly, its length made right again.
#include "runtime/artifact/Safetensors.h"
#include "test/fuzz/Fuzz.h"

namespace xfmr::fuzz {

std::vector<std::string> seeds() {
  return {
      safetensors(
          R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
          R"("b.weight":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[],"data_offsets":[32,40]},)"
          R"("d":{"dtype":"U8","shape":[0,7],"data_offsets":[40,40]}})",
          std::string(40, '\x3f')),
      safetensors("{}", ""),
      safetensors(R"({"x":{"dtype":"F16","shape":[1,1,1,1,2],"data_offsets":[0,4]}}      )", "abcd"),
  };
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("F64 F32 F16 BF16 I64 I32 I16 I8 U8 U64 BOOL F8_E4M3 F4 F6_E2M3 C64 __metadata__ dtype shape "
              "data_offsets a x");
  return mutatedSafetensors(std::move(data), random, words);
}

std::string readOnce(const std::string &data) {
  const std::string path = std::string(kPath) + "x.safetensors";
  const File file(path, data);
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
