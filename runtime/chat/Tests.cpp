// What may stand behind `is`; see Builtins.h.
#include "runtime/chat/Builtins.h"
#include <algorithm>
#include <functional>

namespace xfmr::chat {
namespace {

const Value &other(const Call &call) {
  if (call.positional.size() != 1)
    throw TemplateError("the test '" + std::string(call.name) + "' needs one value to compare with");
  return call.positional[0];
}

bool divides(const Value &value, const Call &call) {
  const Value &by = other(call);
  if (!value.is(Kind::integer) || !by.is(Kind::integer) || by.integer() == 0 || by.integer() == -1)
    throw TemplateError("'divisibleby' needs integers, other than 0");
  return value.integer() % by.integer() == 0;
}

bool isCase(const Value &value, bool upper) {
  if (!value.is(Kind::string))
    return false;
  const std::string &text = value.text();
  const char low = upper ? 'a' : 'A', high = upper ? 'z' : 'Z';
  return std::none_of(text.begin(), text.end(), [&](char c) { return c >= low && c <= high; });
}

bool isIterable(const Value &value) { return value.is(Kind::list) || value.is(Kind::map) || value.is(Kind::string) ||
         value.is(Kind::undefined); }

using Test = std::function<bool(const Value &, const Call &)>;
bool equal(const Value &v, const Call &c) { return v.equals(other(c), c.budget); }
bool unequal(const Value &v, const Call &c) { return !v.equals(other(c), c.budget); }
bool less(const Value &v, const Call &c) { return order(v, other(c)) < 0; }
bool greater(const Value &v, const Call &c) { return order(v, other(c)) > 0; }
bool atMost(const Value &v, const Call &c) { return order(v, other(c)) <= 0; }
bool atLeast(const Value &v, const Call &c) { return order(v, other(c)) >= 0; }

const std::pair<std::string_view, Test> kTests[] = {
    {"boolean", [](const Value &v, const Call &) { return v.is(Kind::boolean); }},
    {"callable", [](const Value &v, const Call &) { return v.is(Kind::macro); }},
    {"defined", [](const Value &v, const Call &) { return !v.is(Kind::undefined); }},
    {"divisibleby", divides},
    {"eq", equal},
    {"equalto", equal},
    {"even", [](const Value &v, const Call &) { return v.is(Kind::integer) && v.integer() % 2 == 0; }},
    {"false", [](const Value &v, const Call &) { return v.is(Kind::boolean) && !v.truth(); }},
    {"float", [](const Value &v, const Call &) { return v.is(Kind::number); }},
    {"ge", atLeast},
    {"greaterthan", greater},
    {"gt", greater},
    {"in", [](const Value &v, const Call &c) { return contains(other(c), v, c.budget); }},
    {"integer", [](const Value &v, const Call &) { return v.is(Kind::integer); }},
    {"iterable", [](const Value &v, const Call &) { return isIterable(v); }},
    {"le", atMost},
    {"lessthan", less},
    {"lower", [](const Value &v, const Call &) { return isCase(v, false); }},
    {"lt", less},
    {"mapping", [](const Value &v, const Call &) { return v.is(Kind::map); }},
    {"ne", unequal},
    {"none", [](const Value &v, const Call &) { return v.is(Kind::none); }},
    {"number", [](const Value &v, const Call &) { return v.isNumber(); }},
    {"odd", [](const Value &v, const Call &) { return v.is(Kind::integer) && v.integer() % 2 != 0; }},
    {"sameas", equal},
    {"sequence", [](const Value &v, const Call &) { return isIterable(v); }},
    {"string", [](const Value &v, const Call &) { return v.is(Kind::string); }},
    {"true", [](const Value &v, const Call &) { return v.is(Kind::boolean) && v.truth(); }},
    {"undefined", [](const Value &v, const Call &) { return v.is(Kind::undefined); }},
    {"upper", [](const Value &v, const Call &) { return isCase(v, true); }},
};

const Test *testOf(std::string_view name) {
  for (const auto &[known, test] : kTests)
    if (known == name)
      return &test;
  return nullptr;
}

} // namespace

bool isTest(std::string_view name) { return testOf(name); }

bool applyTest(const Value &value, const Call &call) {
  const Test *test = testOf(call.name);
  if (!test)
    throw TemplateError("there is no test '" + std::string(call.name) + "'");
  return (*test)(value, call);
}

} // namespace xfmr::chat
