// See Fuzz.h.
#include "test/fuzz/Fuzz.h"
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace xfmr::fuzz {

using Json = nlohmann::ordered_json;

uint64_t Random::next() { // splitmix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
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

/// Every value of a document, itself first.
static void collect(Json &value, std::vector<Json *> &out) {
  out.push_back(&value);
  if (value.is_structured())
    for (Json &inner : value)
      collect(inner, out);
}

static Json strange(Random &random) {
  switch (random.below(9)) {
  case 0: return nullptr;
  case 1: return random.oneIn(2);
  case 2: return edge(random);
  case 3: return static_cast<int64_t>(edge(random));
  case 4: return 1.5e300;
  case 5: return "";
  case 6: return std::string(random.below(2000), 'x') + "\xff\xfe";
  case 7: return Json::array();
  default: return Json::object();
  }
}

std::string mutatedJson(const std::string &text, Random &random) {
  Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded() || random.oneIn(16))
    return mutatedBytes(text, random);
  std::vector<Json *> values;
  collect(document, values);
  Json &value = *values[random.below(values.size())];
  const auto member = [&](Json &object) {
    auto it = object.begin();
    std::advance(it, static_cast<ptrdiff_t>(random.below(object.size())));
    return it;
  };
  switch (random.below(8)) {
  case 0:
    if (value.is_structured() && !value.empty()) {
      value.erase(member(value));
      break;
    }
    [[fallthrough]];
  case 1: value = strange(random); break;
  case 2: value = Json(*values[random.below(values.size())]); break;
  case 3:
    if (value.is_object() && !value.empty())
      value[member(value).key() + (random.oneIn(2) ? "x" : "")] = strange(random);
    else
      value = strange(random);
    break;
  case 4:
    if (value.is_array() && !value.empty())
      value.insert(value.end(), *member(value));
    else
      value = strange(random);
    break;
  case 5: { // one nested in many
    const size_t depth = random.oneIn(8) ? 5000 : 100;
    std::string all = document.dump(-1, ' ', false, Json::error_handler_t::replace), inner(depth, '[');
    const size_t at = all.find(':', random.below(all.size()));
    return at == all.npos ? all : all.insert(at + 1, inner + std::string(depth, ']') + ",\"again\":");
  }
  case 6: { // a member twice
    const std::string all = document.dump(-1, ' ', false, Json::error_handler_t::replace);
    return all.size() < 3 || all[0] != '{' ? all : all.substr(0, all.size() - 1) + "," + all.substr(1);
  }
  default:
    if (value.is_number())
      value = edge(random);
    else if (value.is_string())
      value = mutatedBytes(value.get<std::string>(), random);
    else
      value = strange(random);
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

File::File(const std::string &data) {
  descriptor_ = memfd_create("fuzzed", MFD_CLOEXEC);
  if (descriptor_ < 0 || write(descriptor_, data.data(), data.size()) != static_cast<ssize_t>(data.size()))
    std::abort();
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

File::~File() {
  close(descriptor_);
}

} // namespace xfmr::fuzz
