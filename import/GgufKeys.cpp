// See GgufKeys.h.
#include "import/GgufKeys.h"
#include "import/Config.h"
#include <cmath>

namespace xfmr {

void GgufKeys::refuse(const std::string &key, const std::string &what) {
  if (status.ok())
    status = Status::error("\"" + path_ + "\": key \"" + architecture + "." + key + "\" " + what);
}

const GgufValue *GgufKeys::find(const std::string &key) {
  const std::string whole = architecture + "." + key;
  asked_.insert(whole);
  auto found = metadata_.find(whole);
  return found == metadata_.end() ? nullptr : &found->second;
}

int64_t GgufKeys::size(const std::string &key, std::optional<int64_t> absent) {
  return integer(key, absent, 1);
}
int64_t GgufKeys::count(const std::string &key, std::optional<int64_t> absent) {
  return integer(key, absent, 0);
}

int64_t GgufKeys::integer(const std::string &key, std::optional<int64_t> absent, int64_t least) {
  const GgufValue *value = find(key);
  if (!value && absent)
    return *absent;
  if (value && value->list()) // one number a layer
    return uniform(key, *value->list(), least);
  const int64_t *number = value ? value->integer() : nullptr;
  if (!number || *number < least || *number > Config::kMaxSize) {
    refuse(key, value ? "is no number from " + std::to_string(least) + " to " + std::to_string(Config::kMaxSize)
                      : "is missing");
    return 1;
  }
  return *number;
}

int64_t GgufKeys::uniform(const std::string &key, const std::vector<GgufValue> &list, int64_t least) {
  for (const GgufValue &entry : list) {
    const int64_t *number = entry.integer(), *first = list.front().integer();
    if (!number || *number != *first || *number < least || *number > Config::kMaxSize) {
      refuse(key, "differs from layer to layer, which cannot be imported");
      return 1;
    }
  }
  if (list.empty())
    refuse(key, "is an empty list");
  return list.empty() ? 1 : *list.front().integer();
}

double GgufKeys::positive(const std::string &key, std::optional<double> absent) {
  const GgufValue *value = find(key);
  if (!value && absent)
    return *absent;
  const double *number = value ? std::get_if<double>(&value->value) : nullptr;
  if (!number || !std::isfinite(*number) || *number <= 0) {
    refuse(key, value ? "is no positive number" : "is missing");
    return 1;
  }
  // Stored as f32: 1e-5 reads 9.99999974e-6. The shortest decimal that means the same is what was configured.
  char text[32];
  for (int digits = 6; digits <= 9; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, *number);
    const double decimal = std::strtod(text, nullptr);
    if (static_cast<float>(decimal) == static_cast<float>(*number))
      return decimal;
  }
  return *number;
}

bool GgufKeys::flag(const std::string &key, bool absent) {
  const GgufValue *value = find(key);
  if (value && !value->flag())
    refuse(key, "is no boolean");
  return value && value->flag() ? *value->flag() : absent;
}

std::string GgufKeys::text(const std::string &key) {
  const GgufValue *value = find(key);
  if (value && !value->text())
    refuse(key, "is no text");
  return value && value->text() ? *value->text() : "";
}

std::optional<std::vector<bool>> GgufKeys::flags(const std::string &key) {
  const GgufValue *value = find(key);
  if (!value || !value->list())
    return std::nullopt;
  std::vector<bool> all;
  for (const GgufValue &entry : *value->list()) {
    if (!entry.flag())
      refuse(key, "holds something else than booleans");
    all.push_back(entry.flag() && *entry.flag());
  }
  return all;
}

std::optional<int64_t> GgufKeys::tokenizerNumber(const std::string &key, int64_t end) const {
  auto found = metadata_.find("tokenizer.ggml." + key);
  const int64_t *number = found == metadata_.end() ? nullptr : found->second.integer();
  return number && *number >= 0 && *number < end ? std::optional<int64_t>(*number) : std::nullopt;
}

std::vector<std::string> GgufKeys::unread() const {
  std::vector<std::string> keys;
  for (const auto &[key, value] : metadata_)
    if (key.compare(0, architecture.size() + 1, architecture + ".") == 0 && !asked_.count(key))
      keys.push_back(key);
  return keys;
}

} // namespace xfmr
