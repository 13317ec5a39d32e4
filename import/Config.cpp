// See Config.h.
#include "import/Config.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/MappedFile.h"
#include <cmath>
#include <limits>
#include <list>
#include <nlohmann/json.hpp>
#include <set>

namespace xfmr {

using Json = nlohmann::ordered_json;

// Above any real file; an adversary's must neither exhaust the memory nor the stack.
static constexpr int kMaxNesting = 64;
static constexpr uint64_t kMaxFileSize = uint64_t(16) << 20;

struct Config::Shared {
  std::string path;
  Json document;
  Status status = Status::success();
  std::set<std::string> asked; // by their path: "rope_scaling.type"
  std::list<Json> completed;   // objects with what they lacked

  void collectUnread(const Json &object, const std::string &prefix, std::vector<std::string> &out) const {
    for (const auto &item : object.items()) {
      const std::string path = prefix + item.key();
      if (item.value().is_null())
        continue;
      if (!asked.count(path))
        out.push_back(path);
      else if (item.value().is_object() && isEntered(path + "."))
        collectUnread(item.value(), path + ".", out);
    }
  }
  bool isEntered(const std::string &prefix) const {
    auto next = asked.lower_bound(prefix);
    return next != asked.end() && next->compare(0, prefix.size(), prefix) == 0;
  }
};

Status Config::read(const std::string &path, Config &out) {
  MappedFile file;
  if (Status status = MappedFile::open(path, file); status.failed())
    return status;
  // JSON knows neither NaN nor Infinity, yet Python writes them: remember the key to name it.
  std::string lastKey;
  bool isTooDeep = false;
  auto remember = [&](int depth, Json::parse_event_t event, Json &parsed) {
    isTooDeep |= depth > kMaxNesting;
    if (event == Json::parse_event_t::key)
      lastKey = parsed.get<std::string>();
    return !isTooDeep; // what lies deeper is dropped: printing and copying it would recurse
  };
  if (const std::string kind = fileKind(file.data(), file.size()); !kind.empty() && kind != "JSON text")
    return Status::error("config \"" + path + "\" is " + kind + ", expected JSON text");
  if (file.size() > kMaxFileSize)
    return Status::error("config \"" + path + "\" has " + std::to_string(file.size()) + " bytes, expected at most " +
                         std::to_string(kMaxFileSize));
  auto shared = std::make_shared<Shared>();
  shared->path = path;
  try {
    const char *text = reinterpret_cast<const char *>(file.data());
    shared->document = Json::parse(text, text + file.size(), remember);
  } catch (const Json::exception &error) {
    return Status::error("config \"" + path + "\" is not valid JSON" +
                         (lastKey.empty() ? "" : " at key \"" + lastKey + "\"") + ": " +
                         error.what());
  }
  if (isTooDeep)
    return Status::error("config \"" + path + "\" is nested more than " + std::to_string(kMaxNesting) + " deep at key \"" + lastKey + "\"");
  if (!shared->document.is_object())
    return Status::error("config \"" + path + "\" is not a JSON object");
  out.node_ = &shared->document;
  out.shared_ = std::move(shared);
  return Status::success();
}

Config Config::of(const Json &document, const std::string &path) {
  Config config;
  config.shared_ = std::make_shared<Shared>();
  config.shared_->path = path;
  config.shared_->document = document;
  config.node_ = &config.shared_->document;
  return config;
}

const Json *Config::find(const std::string &key) const {
  if (!node_)
    return nullptr;
  shared_->asked.insert(prefix_ + key);
  auto found = node_->find(key);
  return found == node_->end() || found->is_null() ? nullptr : &*found;
}

bool Config::has(const std::string &key) const { return find(key) != nullptr; }

bool Config::mentions(const std::string &key) const { return find(key) || (node_ && node_->contains(key)); }

std::vector<std::string> Config::unread() const {
  std::vector<std::string> keys;
  if (node_)
    shared_->collectUnread(*node_, prefix_, keys);
  return keys;
}

void Config::ignore(const std::vector<std::string> &keys) {
  for (const std::string &key : keys)
    shared_->asked.insert(prefix_ + key);
}

bool Config::isObject(const std::string &key) const {
  const Json *value = find(key);
  return value && value->is_object();
}

bool Config::isText(const std::string &key) const {
  const Json *value = find(key);
  return value && value->is_string();
}

bool Config::isEmpty(const std::string &key) const {
  const Json *value = find(key);
  return !value || *value == false || ((value->is_array() || value->is_object()) && value->empty());
}

std::vector<std::string> Config::keys() const {
  std::vector<std::string> keys;
  if (node_)
    for (const auto &item : node_->items())
      keys.push_back(item.key());
  return keys;
}

std::string Config::firstOf(const std::vector<std::string> &keys) const {
  for (const std::string &key : keys)
    if (has(key))
      return key;
  return keys.front();
}

void Config::refuse(const std::string &key, const std::string &what) {
  if (shared_->status.ok())
    shared_->status =
        Status::error("config \"" + shared_->path + "\": key \"" + prefix_ + key + "\" " + what);
}

Status Config::status() const { return shared_ ? shared_->status : Status::success(); }

static std::string shown(const Json &value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// `take` returns the value, or nothing when the JSON is not what `expected` says.
template <typename T, typename Take>
T Config::value(const std::string &key, const char *expected, std::optional<T> absent, Take take) {
  const Json *json = find(key);
  if (!json) {
    if (!absent)
      refuse(key, std::string("is missing, expected ") + expected);
    return absent.value_or(T());
  }
  if (std::optional<T> taken = take(*json))
    return *taken;
  refuse(key, "is " + shown(*json) + ", expected " + expected);
  return absent.value_or(T());
}

static std::optional<int64_t> takeInteger(const Json &json, int64_t low) {
  if (!json.is_number_integer())
    return std::nullopt;
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
    return std::nullopt;
  int64_t value = json.get<int64_t>();
  if (value < low)
    return std::nullopt;
  return value;
}

static std::optional<double> takeNumber(const Json &json) {
  if (!json.is_number() || !std::isfinite(json.get<double>()))
    return std::nullopt;
  return json.get<double>();
}

int64_t Config::size(const std::string &key, std::optional<int64_t> absent) {
  const std::string expected = "an integer from 1 to " + std::to_string(kMaxSize);
  return value<int64_t>(key, expected.c_str(), absent,
                        [](const Json &json) -> std::optional<int64_t> {
                          std::optional<int64_t> size = takeInteger(json, 1);
                          return size && *size <= kMaxSize ? size : std::nullopt;
                        });
}

int64_t Config::integer(const std::string &key, int64_t low, std::optional<int64_t> absent) {
  const std::string expected = "an integer from " + std::to_string(low) + " to 2147483647";
  return value<int64_t>(key, expected.c_str(), absent,
                        [&](const Json &json) { return takeInteger(json, low); });
}

int64_t Config::layers(const std::string &key, std::optional<int64_t> absent) {
  const int64_t layers = integer(key, 1, absent);
  if (layers > 65536)
    refuse(key, "is " + std::to_string(layers) + ", expected at most 65536");
  return layers;
}

double Config::positive(const std::string &key, std::optional<double> absent) {
  return value<double>(key, "a finite number above zero", absent,
                       [](const Json &json) -> std::optional<double> {
                         std::optional<double> number = takeNumber(json);
                         return number && *number > 0 ? number : std::nullopt;
                       });
}

double Config::number(const std::string &key, std::optional<double> absent) {
  return value<double>(key, "a finite number", absent, takeNumber);
}

bool Config::flag(const std::string &key, bool absent) {
  return value<bool>(key, "true or false", absent, [](const Json &json) -> std::optional<bool> {
    return json.is_boolean() ? std::optional<bool>(json.get<bool>()) : std::nullopt;
  });
}

std::string Config::text(const std::string &key, std::optional<std::string> absent) {
  return value<std::string>(key, "a string", absent,
                            [](const Json &json) -> std::optional<std::string> {
                              if (!json.is_string())
                                return std::nullopt;
                              return json.get<std::string>();
                            });
}

/// A list whose entries `takeOne` accepts, or nothing.
template <typename T, typename TakeOne>
static std::optional<std::vector<T>> takeList(const Json &json, TakeOne takeOne) {
  if (!json.is_array())
    return std::nullopt;
  std::vector<T> list;
  for (const Json &entry : json) {
    std::optional<T> taken = takeOne(entry);
    if (!taken)
      return std::nullopt;
    list.push_back(*taken);
  }
  return list;
}

std::vector<int64_t> Config::integers(const std::string &key) {
  using List = std::vector<int64_t>;
  return value<List>(key, "a list of integers from 0 to 2147483647", List(), [](const Json &json) {
    return takeList<int64_t>(json, [](const Json &entry) { return takeInteger(entry, 0); });
  });
}

std::vector<double> Config::numbers(const std::string &key) {
  using List = std::vector<double>;
  return value<List>(key, "a list of finite numbers", List(),
                     [](const Json &json) { return takeList<double>(json, takeNumber); });
}

static std::optional<std::string> takeText(const Json &json) {
  return json.is_string() ? std::optional<std::string>(json.get<std::string>()) : std::nullopt;
}

std::vector<std::string> Config::texts(const std::string &key) {
  using List = std::vector<std::string>;
  return value<List>(key, "a list of strings", List(), [](const Json &json) { return takeList<std::string>(json, takeText); });
}

std::vector<std::string> Config::repeatedTexts(const std::string &key) {
  using List = std::vector<std::string>;
  constexpr int64_t kMost = 65536;
  const auto take = [](const Json &json) -> std::optional<List> {
    List all;
    for (const Json &part : json) {
      std::optional<List> texts = part.is_array() && part.size() == 2 ? takeList<std::string>(part[0], takeText) : std::nullopt;
      const std::optional<int64_t> count = texts ? takeInteger(part[1], 0) : std::nullopt;
      if (!count || (!texts->empty() && *count > kMost))
        return std::nullopt;
      for (int64_t i = 0; !texts->empty() && i < *count; ++i) {
        if (static_cast<int64_t>(all.size() + texts->size()) > kMost)
          return std::nullopt;
        all.insert(all.end(), texts->begin(), texts->end());
      }
    }
    return json.is_array() ? std::optional<List>(all) : std::nullopt;
  };
  return value<List>(key, "a list of lists of strings and how often each is repeated, at most 65536 strings in all", List(), take);
}

std::vector<int64_t> Config::tokenIds(const std::string &key) {
  using List = std::vector<int64_t>;
  return value<List>(key, "a token id or a list of token ids", List(),
                     [](const Json &json) -> std::optional<List> {
                       auto takeId = [](const Json &id) { return takeInteger(id, 0); };
                       if (json.is_array())
                         return takeList<int64_t>(json, takeId);
                       std::optional<int64_t> id = takeId(json);
                       return id ? std::optional<List>(List{*id}) : std::nullopt;
                     });
}

Config Config::object(const std::string &key) {
  Config child;
  child.shared_ = shared_;
  child.prefix_ = prefix_ + key + ".";
  const Json *json = find(key);
  if (json && !json->is_object())
    refuse(key, "is " + shown(*json) + ", expected an object");
  else
    child.node_ = json;
  return child;
}

Config Config::object(const std::string &key, const std::vector<std::string> &inherited, const char *defaults) {
  Config child = object(key);
  if (!child.node_)
    return child;
  Json whole = *child.node_;
  for (const std::string &name : inherited)
    if (const Json *outer = find(name); outer && !whole.contains(name))
      whole[name] = *outer;
  const Json absent = Json::parse(defaults);
  for (const auto &item : absent.items())
    if (!whole.contains(item.key()))
      whole[item.key()] = item.value();
  child.node_ = &shared_->completed.emplace_back(std::move(whole));
  return child;
}

} // namespace xfmr
