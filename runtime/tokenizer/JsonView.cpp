// See JsonView.h.
#include "runtime/tokenizer/JsonView.h"

namespace xfmr::tokenizer {

static const nlohmann::json kNull;
static constexpr int kMaxDepth = 64;

bool JsonView::fail(const std::string &what) const {
  *error = (path.empty() ? std::string("tokenizer.json") : path) + ": " + what;
  return false;
}

bool JsonView::requireObject() const {
  return isObject() || fail(std::string("expected an object, found ") + value->type_name());
}

bool JsonView::requireArray() const {
  return isArray() || fail(std::string("expected an array, found ") + value->type_name());
}

bool JsonView::requireShallow() const {
  return depth <= kMaxDepth || fail("nested too deeply");
}

bool JsonView::requireFew(size_t before) const {
  return before < kMaxSteps ||
         fail("is step " + std::to_string(before + 1) + ", expected at most " + std::to_string(kMaxSteps));
}

bool JsonView::has(const char *key) const {
  return isObject() && value->contains(key) && !(*value)[key].is_null();
}

JsonView JsonView::operator[](const std::string &key) const {
  std::string memberPath = path.empty() ? key : path + "." + key;
  const nlohmann::json *member = &kNull;
  if (isObject()) {
    auto it = value->find(key);
    if (it != value->end())
      member = &*it;
  }
  return JsonView(*member, std::move(memberPath), *error, depth + 1);
}

JsonView JsonView::at(size_t index) const {
  const nlohmann::json *element = isArray() && index < value->size() ? &(*value)[index] : &kNull;
  return JsonView(*element, path + "[" + std::to_string(index) + "]", *error, depth + 1);
}

bool JsonView::asString(std::string &out) const {
  if (!isString())
    return fail(std::string("expected a string, found ") + value->type_name());
  out = value->get_ref<const std::string &>();
  return true;
}

static bool integerIn(const nlohmann::json &value, int64_t high, int64_t &out) {
  if (value.is_number_unsigned()) {
    uint64_t number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(high))
      return false;
    out = static_cast<int64_t>(number);
    return true;
  }
  if (!value.is_number_integer())
    return false;
  out = value.get<int64_t>();
  return out >= 0 && out <= high;
}

bool JsonView::asId(int32_t &out) const {
  int64_t number = 0;
  if (!integerIn(*value, kMaxTokenId, number))
    return fail("expected a token id from 0 to " + std::to_string(kMaxTokenId) + ", found " +
                (value->is_primitive() ? value->dump(-1, ' ', true) : value->type_name()));
  out = static_cast<int32_t>(number);
  return true;
}

bool JsonView::getString(const char *key, std::string &out) const {
  return requireObject() && (*this)[key].asString(out);
}

bool JsonView::getString(const char *key, std::string &out, const std::string &fallback) const {
  if (!has(key)) {
    out = fallback;
    return true;
  }
  return getString(key, out);
}

bool JsonView::getBool(const char *key, bool &out, bool fallback) const {
  out = fallback;
  if (!has(key))
    return true;
  JsonView member = (*this)[key];
  if (!member.json().is_boolean())
    return member.fail(std::string("expected true or false, found ") + member.json().type_name());
  out = member.json().get<bool>();
  return true;
}

bool JsonView::getCount(const char *key, size_t &out, size_t fallback) const {
  out = fallback;
  if (!has(key))
    return true;
  JsonView member = (*this)[key];
  int64_t number = 0;
  if (!integerIn(member.json(), INT32_MAX, number))
    return member.fail("expected a whole number that is not negative");
  out = static_cast<size_t>(number);
  return true;
}

bool JsonView::getId(const char *key, int32_t &out) const {
  return requireObject() && (*this)[key].asId(out);
}

} // namespace xfmr::tokenizer
