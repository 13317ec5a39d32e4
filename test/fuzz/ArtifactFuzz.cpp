// An artifact: the header of its container, the program inside, and any bytes. The checksum is mostly made right again, for behind a
// wrong one nothing is read.
#include "runtime/artifact/Artifact.h"
#include "test/fuzz/Fuzz.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <xxhash.h>

namespace xfmr::fuzz {

std::vector<std::string> seeds() {
  return {bytesOf(XFMR_FUZZ_ARTIFACT)};
}

static uint64_t headerLength(const std::string &data) {
  uint64_t length = 0;
  if (data.size() >= 8)
    std::memcpy(&length, data.data(), 8);
  return data.size() < 8 || length > data.size() - 8 ? 0 : length;
}

/// Bytes of the program, where header and file agree about them.
static std::pair<size_t, size_t> programOf(const std::string &data, uint64_t length) {
  const std::string_view header = std::string_view(data).substr(8, length);
  const size_t name = header.find(std::string("\"") + artifact::kProgramTensor + '"');
  constexpr std::string_view kOffsets = "\"data_offsets\":[";
  const size_t offsets = header.find(kOffsets, name == header.npos ? header.size() : name);
  unsigned long long begin = 0, end = 0;
  if (offsets == header.npos ||
      std::sscanf(std::string(header.substr(offsets + kOffsets.size(), 42)).c_str(), "%llu,%llu", &begin, &end) != 2)
    return {0, 0};
  const uint64_t room = data.size() - 8 - length;
  return begin < end && end <= room ? std::pair<size_t, size_t>(8 + length + begin, end - begin)
                                    : std::pair<size_t, size_t>(0, 0);
}

static std::string changed(const std::string &data, Random &random) {
  const uint64_t length = headerLength(data);
  if (length == 0 || random.oneIn(8))
    return mutatedBytes(data, random);
  if (random.oneIn(3)) {
    std::string header = mutatedJson(data.substr(8, length), random);
    if (random.oneIn(2)) // tensors stay on their pages
      header.resize(std::max<size_t>(header.size(), length), ' ');
    return safetensors(header, std::string_view(data).substr(8 + length));
  }
  const auto [at, size] = programOf(data, length); // FlatBuffers: offsets and numbers of four bytes
  if (size < 8)
    return mutatedBytes(data, random);
  std::string whole = data;
  const uint64_t number = edge(random);
  std::memcpy(whole.data() + at + random.below(size / 4 - 1) * 4, &number, size_t(1) << random.below(4));
  return whole;
}

std::string mutated(std::string data, Random &random) {
  data = changed(data, random);
  if (data.size() < artifact::kChecksumBytes || random.oneIn(8))
    return data;
  const size_t covered = data.size() - artifact::kChecksumBytes;
  XXH128_canonical_t sum;
  XXH128_canonicalFromHash(&sum, XXH3_128bits(data.data(), covered));
  std::memcpy(data.data() + covered, sum.digest, artifact::kChecksumBytes);
  return data;
}

std::string readOnce(const std::string &data) {
  const std::string path = std::string(kPath) + "x.xfm";
  const File file(path, data, artifact::kTensorAlign);
  artifact::Artifact opened;
  Status status = artifact::Artifact::open(path, opened);
  return status.failed() ? status.message() : std::string();
}

} // namespace xfmr::fuzz
