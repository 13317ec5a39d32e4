// What all filters, tests and methods share, and functions; see Builtins.h.
#include "runtime/chat/Builtins.h"
#include "runtime/chat/Text.h"
#include <algorithm>
#include <ctime>

namespace xfmr::chat {

const Value *Call::argument(size_t place, std::string_view key) const {
  if (place < positional.size())
    return &positional[place];
  for (const auto &[name, value] : named)
    if (name == key)
      return &value;
  return nullptr;
}

const std::string &Call::text(size_t place, std::string_view key) const {
  const Value *value = argument(place, key);
  if (!value || !value->is(Kind::string))
    throw TemplateError("'" + std::string(name) + "' needs a string, got " + (value ? kindName(value->kind()) : "nothing"));
  return value->text();
}

void Call::atMost(size_t count) const {
  if (positional.size() + named.size() > count)
    throw TemplateError("'" + std::string(name) + "' takes at most " + std::to_string(count) + " arguments");
}

List elementsOf(const Value &value, Budget &budget) {
  List found;
  switch (value.kind()) {
  case Kind::undefined: break;
  case Kind::list: found = value.list(); break;
  case Kind::map:
    for (const auto &[key, unused] : value.map())
      found.push_back(Value::of(key));
    break;
  case Kind::string: {
    const std::vector<size_t> starts = characterStarts(value.text());
    for (size_t i = 0; i + 1 < starts.size(); ++i)
      found.push_back(Value::of(value.text().substr(starts[i], starts[i + 1] - starts[i])));
    break;
  }
  default: throw TemplateError(std::string(kindName(value.kind())) + " has no elements");
  }
  budget.bytes(found.size() * sizeof(Value));
  return found;
}

bool contains(const Value &container, const Value &element, Budget &budget) {
  if (container.is(Kind::string)) {
    if (!element.is(Kind::string))
      throw TemplateError("'in' a string needs a string, got " + std::string(kindName(element.kind())));
    budget.step(container.text().size() / 64);
    return container.text().find(element.text()) != std::string::npos;
  }
  if (container.is(Kind::map) || container.is(Kind::space))
    return element.is(Kind::string) && container.find(element.text());
  if (container.is(Kind::undefined))
    return false;
  if (!container.is(Kind::list))
    throw TemplateError("'in' needs a list, a mapping or a string, got " + std::string(kindName(container.kind())));
  return std::any_of(container.list().begin(), container.list().end(),
                     [&](const Value &each) { return each.equals(element, budget); });
}

int order(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber())
    return a.number() < b.number() ? -1 : a.number() > b.number();
  if (a.is(Kind::string) && b.is(Kind::string))
    return a.text().compare(b.text());
  throw TemplateError(std::string(kindName(a.kind())) + " and " + kindName(b.kind()) + " have no order");
}

static Value range(const Call &call) {
  call.atMost(3);
  int64_t bounds[3] = {0, 0, 1};
  for (size_t i = 0; i < call.positional.size(); ++i) {
    const Value &given = call.positional[i];
    if (!given.is(Kind::integer))
      throw TemplateError("range needs integers, got " + std::string(kindName(given.kind())));
    bounds[i] = given.integer();
  }
  if (call.positional.size() == 1)
    bounds[1] = bounds[0], bounds[0] = 0;
  if (bounds[2] == 0)
    throw TemplateError("range cannot step by 0");
  List list;
  for (int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : i > bounds[1];) {
    call.budget.bytes(sizeof(Value));
    list.push_back(Value::of(i));
    if (__builtin_add_overflow(i, bounds[2], &i))
      break;
  }
  return Value::of(std::move(list));
}

// Today, by the local clock.
static Value today(const Call &call) {
  const std::string &format = call.text(0, "format");
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  localtime_r(&now, &parts);
  char buffer[256];
  return Value::of(std::string(buffer, std::strftime(buffer, sizeof buffer, format.substr(0, 64).c_str(), &parts)));
}

bool isFunction(std::string_view name) {
  return name == "namespace" || name == "range" || name == "dict" || name == "raise_exception" || name == "strftime_now";
}

bool callFunction(const Call &call, Value &result) {
  if (call.name == "namespace" || call.name == "dict")
    result = call.name == "dict" ? Value::of(call.named) : Value::makeSpace(call.named);
  else if (call.name == "range")
    result = range(call);
  else if (call.name == "raise_exception")
    throw TemplateError("the template says: " + (call.positional.empty() ? "" : toText(call.positional[0], call.budget)));
  else if (call.name == "strftime_now")
    result = today(call);
  else
    return false;
  return true;
}

} // namespace xfmr::chat
