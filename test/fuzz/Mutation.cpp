// Changes of bytes, and the numbers they come from; see Fuzz.h.
#include "test/fuzz/Fuzz.h"
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace xfmr::fuzz {

uint64_t Random::next() { // splitmix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Words wordsOf(std::string_view spaced) {
  Words words;
  for (size_t at = 0; at < spaced.size();) {
    const size_t end = std::min(spaced.find(' ', at), spaced.size());
    words.emplace_back(spaced.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

uint64_t edge(Random &random) {
  const uint64_t power = uint64_t(1) << random.below(64);
  switch (random.below(6)) {
  case 0: return random.below(4);
  case 1: return power - 1;
  case 2: return power;
  case 3: return power + 1;
  case 4: return 0 - random.below(4);
  default: return random.next();
  }
}

std::string mutatedBytes(std::string data, Random &random) {
  const size_t at = random.below(data.size());
  switch (random.below(6)) {
  case 0: data.resize(at); break;
  case 1: data.insert(at, data.substr(random.below(data.size()), random.below(64))); break;
  case 2: data.erase(at, random.below(64)); break;
  case 3:
    if (!data.empty())
      data[at] = static_cast<char>(data[at] ^ (1 << random.below(8)));
    break;
  default: { // a number of some width
    const uint64_t number = edge(random);
    const size_t width = size_t(1) << random.below(4);
    if (data.size() >= width)
      std::memcpy(data.data() + std::min(at, data.size() - width), &number, width);
  }
  }
  return data;
}

std::string safetensors(std::string_view header, std::string_view data) {
  const uint64_t length = header.size();
  std::string whole(8, '\0');
  std::memcpy(whole.data(), &length, 8);
  return whole.append(header).append(data);
}

std::string mutatedSafetensors(std::string data, Random &random, const Words &words) {
  uint64_t length = 0;
  if (data.size() >= 8)
    std::memcpy(&length, data.data(), 8);
  if (random.oneIn(8) || data.size() < 8 || length > data.size() - 8)
    return mutatedBytes(std::move(data), random);
  if (random.oneIn(4)) // numbers of the tensors
    return data.substr(0, 8 + length) + mutatedBytes(data.substr(8 + length), random);
  data = safetensors(mutatedJson(data.substr(8, length), random, words), std::string_view(data).substr(8 + length));
  if (random.oneIn(16)) {
    const uint64_t wrong = edge(random);
    std::memcpy(data.data(), &wrong, 8);
  }
  return data;
}

std::string joined(const std::vector<std::string> &files) {
  std::string all;
  for (size_t i = 0; i + 1 < files.size(); ++i) {
    const uint32_t length = static_cast<uint32_t>(files[i].size());
    all.append(reinterpret_cast<const char *>(&length), sizeof length);
    all += files[i];
  }
  return all + files.back();
}

std::vector<std::string> parted(const std::string &data, size_t files) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (size_t i = 0; i + 1 < files; ++i) {
    uint32_t length = 0;
    const size_t room = data.size() - at;
    if (room < sizeof length) {
      parts.emplace_back();
      continue;
    }
    std::memcpy(&length, data.data() + at, sizeof length);
    at += sizeof length;
    parts.push_back(data.substr(at, length));
    at += parts.back().size();
  }
  parts.push_back(data.substr(at));
  return parts;
}

std::string bytesOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace xfmr::fuzz
