// Making, comparing and asking values; see Value.h.
#include "runtime/chat/Value.h"
#include <algorithm>

namespace xfmr::chat {

Value Value::of(bool value) {
  Value made(Kind::boolean);
  made.integer_ = value;
  return made;
}
Value Value::of(int64_t value) {
  Value made(Kind::integer);
  made.integer_ = value;
  return made;
}
Value Value::of(double value) {
  Value made(Kind::number);
  made.number_ = value;
  return made;
}
Value Value::of(std::string text) {
  Value made(Kind::string);
  made.text_ = std::make_shared<const std::string>(std::move(text));
  return made;
}
void Value::nest() {
  if (++nesting_ > kMaxNesting)
    throw TemplateError("lists and mappings nest deeper than " + std::to_string(kMaxNesting));
}
Value Value::of(List list) {
  Value made(Kind::list);
  for (const Value &element : list)
    made.nesting_ = std::max(made.nesting_, element.nesting_);
  made.nest();
  made.list_ = std::make_shared<const List>(std::move(list));
  return made;
}
Value Value::of(Map map) {
  Value made(Kind::map);
  for (const auto &[key, element] : map)
    made.nesting_ = std::max(made.nesting_, element.nesting_);
  made.nest();
  made.map_ = std::make_shared<Map>(std::move(map));
  return made;
}
Value Value::of(std::shared_ptr<const Macro> macro) {
  Value made(Kind::macro);
  made.macro_ = std::move(macro);
  return made;
}
Value Value::makeSpace(Map fields) {
  Value made(Kind::space);
  made.map_ = std::make_shared<Map>(std::move(fields));
  return made;
}
Value Value::missing(std::string name) {
  Value made;
  made.text_ = std::make_shared<const std::string>(std::move(name));
  return made;
}

const Value *Value::find(std::string_view key) const {
  if (!map_)
    return nullptr;
  auto at = std::find_if(map_->begin(), map_->end(), [&](const auto &entry) { return entry.first == key; });
  return at == map_->end() ? nullptr : &at->second;
}

bool Value::truth() const {
  switch (kind_) {
  case Kind::undefined:
  case Kind::none: return false;
  case Kind::boolean:
  case Kind::integer: return integer_ != 0;
  case Kind::number: return number_ != 0;
  case Kind::string: return !text_->empty();
  case Kind::list: return !list_->empty();
  case Kind::map: return !map_->empty();
  case Kind::space:
  case Kind::macro: return true;
  }
  return false;
}

bool Value::equals(const Value &other, Budget &budget) const {
  budget.step(); // lists that share their elements have exponentially many
  if (isNumber() && other.isNumber())
    return kind_ == Kind::number || other.kind_ == Kind::number ? number() == other.number() : integer_ == other.integer_;
  if (kind_ != other.kind_)
    return false;
  switch (kind_) {
  case Kind::string: return *text_ == *other.text_;
  case Kind::list:
    return list_ == other.list_ ||
           std::equal(list_->begin(), list_->end(), other.list_->begin(), other.list_->end(),
                      [&](const Value &a, const Value &b) { return a.equals(b, budget); });
  case Kind::map:
    return map_ == other.map_ ||
           (map_->size() == other.map_->size() && std::all_of(map_->begin(), map_->end(), [&](const auto &entry) {
              const Value *same = other.find(entry.first);
              return same && same->equals(entry.second, budget);
            }));
  case Kind::space: return map_ == other.map_;
  case Kind::macro: return macro_ == other.macro_;
  default: return true;
  }
}

const char *kindName(Kind kind) {
  switch (kind) {
  case Kind::undefined: return "an undefined value";
  case Kind::none: return "none";
  case Kind::boolean: return "a boolean";
  case Kind::integer: return "an integer";
  case Kind::number: return "a number";
  case Kind::string: return "a string";
  case Kind::list: return "a list";
  case Kind::map: return "a mapping";
  case Kind::space: return "a namespace";
  case Kind::macro: return "a macro";
  }
  return "a value";
}

std::vector<size_t> characterStarts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
      starts.push_back(i);
  starts.push_back(text.size());
  return starts;
}

} // namespace xfmr::chat
