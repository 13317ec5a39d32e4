// Filters, tests and methods of values that chat templates use, as plain functions of values.
#pragma once
#include "runtime/chat/Limits.h"
#include "runtime/chat/Value.h"

namespace xfmr::chat {

/// Arguments of a call, evaluated.
struct Call {
  std::string_view name; // for messages
  List positional;
  Map named;
  Budget &budget;

  /// The argument at a place or of a name; null if it was not given.
  const Value *argument(size_t place, std::string_view key) const;
  const std::string &text(size_t place, std::string_view key) const;
  /// Refuses more arguments than these.
  void atMost(size_t count) const;
};

Value applyFilter(const Value &value, const Call &call);
bool applyTest(const Value &value, const Call &call);
Value callMethod(const Value &value, const Call &call);
/// namespace, range, dict, raise_exception, strftime_now. False: there is no such function.
bool callFunction(const Call &call, Value &result);

bool isFilter(std::string_view name);
bool isTest(std::string_view name);
bool isFunction(std::string_view name);

/// The elements that a loop goes over: of a list, characters, keys; none of an undefined value.
List elementsOf(const Value &value, Budget &budget);
bool contains(const Value &container, const Value &element, Budget &budget);
/// Below 0, 0, above: numbers, strings, lists.
int order(const Value &a, const Value &b);

} // namespace xfmr::chat
