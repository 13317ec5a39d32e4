// Filters, by name; see Builtins.h.
#include "runtime/chat/Builtins.h"
#include "runtime/chat/Text.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

namespace xfmr::chat {
namespace {

Value stringOf(std::string text, Budget &budget) {
  budget.bytes(text.size());
  return Value::of(std::move(text));
}

/// What a filter of text works on: numbers and so on as they print.
std::string textOf(const Value &value, Budget &budget) { return toText(value, budget); }

Value method(const Value &value, const Call &call, std::string_view name) {
  Call renamed{name, call.positional, call.named, call.budget};
  return callMethod(Value::of(textOf(value, call.budget)), renamed);
}

Value length(const Value &value, const Call &) {
  switch (value.kind()) {
  case Kind::undefined: return Value::of(int64_t(0));
  case Kind::string: return Value::of(static_cast<int64_t>(characterStarts(value.text()).size() - 1));
  case Kind::list: return Value::of(static_cast<int64_t>(value.list().size()));
  case Kind::map: return Value::of(static_cast<int64_t>(value.map().size()));
  default: throw TemplateError(std::string(kindName(value.kind())) + " has no length");
  }
}

Value tojson(const Value &value, const Call &call) {
  const Value *indent = call.argument(0, "indent");
  return Value::of(toJson(value, indent && indent->is(Kind::integer) ? indent->integer() : -1, call.budget));
}

Value join(const Value &value, const Call &call) {
  const Value *given = call.argument(0, "d"), *attribute = call.argument(1, "attribute");
  const std::string separator = given ? textOf(*given, call.budget) : "";
  std::string out;
  bool first = true;
  for (const Value &element : elementsOf(value, call.budget)) {
    const Value *part = attribute && attribute->is(Kind::string) ? element.find(attribute->text()) : &element;
    const std::string text = (first ? "" : separator) + (part ? textOf(*part, call.budget) : "");
    call.budget.bytes(text.size());
    out += text;
    first = false;
  }
  return Value::of(std::move(out));
}

Value fallback(const Value &value, const Call &call) {
  const Value *other = call.argument(0, "default_value"), *falsy = call.argument(1, "boolean");
  const bool takes = value.is(Kind::undefined) || (falsy && falsy->truth() && !value.truth());
  return takes ? (other ? *other : Value::of(std::string())) : value;
}

Value end(const Value &value, const Call &call, bool last) {
  List elements = elementsOf(value, call.budget);
  return elements.empty() ? Value::missing("no element") : last ? elements.back() : elements.front();
}

Value items(const Value &value, const Call &call) {
  if (value.is(Kind::undefined))
    return Value::of(List());
  if (!value.is(Kind::map))
    throw TemplateError("'items' needs a mapping, got " + std::string(kindName(value.kind())));
  List pairs;
  for (const auto &[key, element] : value.map())
    pairs.push_back(Value::of(List{Value::of(key), element}));
  call.budget.bytes(pairs.size() * 4 * sizeof(Value));
  return Value::of(std::move(pairs));
}

Value toInteger(const Value &value, const Call &call) {
  const Value *other = call.argument(0, "default");
  if (value.is(Kind::number) && std::abs(value.number()) < 9e18)
    return Value::of(static_cast<int64_t>(value.number()));
  if (value.isNumber() && !value.is(Kind::number))
    return Value::of(value.integer());
  int64_t number = 0;
  if (value.is(Kind::string)) {
    const std::string &text = value.text();
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && stop == text.data() + text.size())
      return Value::of(number);
  }
  return other ? *other : Value::of(int64_t(0));
}

Value toNumber(const Value &value, const Call &) {
  if (value.isNumber())
    return Value::of(value.number());
  double number = 0;
  if (value.is(Kind::string))
    std::from_chars(value.text().data(), value.text().data() + value.text().size(), number);
  return Value::of(number);
}

Value indent(const Value &value, const Call &call) {
  const Value *width = call.argument(0, "width"), *first = call.argument(1, "first"), *blank = call.argument(2, "blank");
  const std::string by = width && width->is(Kind::string) ? width->text()
                         : std::string(width && width->is(Kind::integer) ? std::clamp<int64_t>(width->integer(), 0, 1000) : 4, ' ');
  const std::string text = textOf(value, call.budget);
  std::string out;
  for (size_t at = 0; at <= text.size();) {
    const size_t stop = std::min(text.find('\n', at), text.size());
    const bool indents = (at > 0 || (first && first->truth())) && (stop > at || (blank && blank->truth()));
    const std::string line = (indents ? by : "") + text.substr(at, stop - at) + (stop < text.size() ? "\n" : "");
    call.budget.bytes(line.size());
    out += line;
    at = stop + 1;
  }
  return Value::of(std::move(out));
}

/// selectattr('role', 'equalto', 'user'), select('string') and their opposites.
Value select(const Value &value, const Call &call, bool byAttribute, bool wanted) {
  const std::string *attribute = byAttribute ? &call.text(0, "attribute") : nullptr;
  const size_t at = byAttribute;
  List kept;
  for (const Value &element : elementsOf(value, call.budget)) {
    call.budget.step();
    const Value *found = attribute ? element.find(*attribute) : &element;
    const Value subject = found ? *found : Value::missing(attribute ? *attribute : "");
    bool holds = subject.truth();
    if (call.positional.size() > at) {
      Call test{call.text(at, "test"),
                List(call.positional.begin() + static_cast<ptrdiff_t>(at) + 1, call.positional.end()), {}, call.budget};
      holds = applyTest(subject, test);
    }
    if (holds == wanted)
      kept.push_back(element);
  }
  return Value::of(std::move(kept));
}

Value map(const Value &value, const Call &call) {
  const Value *attribute = call.positional.empty() ? call.argument(1, "attribute") : nullptr;
  const Value *other = call.positional.empty() ? call.argument(1, "default") : nullptr;
  List made;
  for (const Value &element : elementsOf(value, call.budget)) {
    call.budget.step();
    if (attribute && attribute->is(Kind::string)) {
      const Value *found = element.find(attribute->text());
      made.push_back(found ? *found : other ? *other : Value::missing(attribute->text()));
    } else {
      made.push_back(applyFilter(element, Call{call.text(0, "filter"),
                                               List(call.positional.begin() + 1, call.positional.end()), {}, call.budget}));
    }
  }
  return Value::of(std::move(made));
}

Value sorted(const Value &value, const Call &call) {
  List elements = elementsOf(value, call.budget);
  const Value *reverse = call.argument(0, "reverse");
  call.budget.step(elements.size() * 20);
  std::stable_sort(elements.begin(), elements.end(), [](const Value &a, const Value &b) { return order(a, b) < 0; });
  if (reverse && reverse->truth())
    std::reverse(elements.begin(), elements.end());
  return Value::of(std::move(elements));
}

Value reverse(const Value &value, const Call &call) {
  List elements = elementsOf(value, call.budget);
  std::reverse(elements.begin(), elements.end());
  if (!value.is(Kind::string))
    return Value::of(std::move(elements));
  std::string text;
  for (const Value &element : elements)
    text += element.text();
  return Value::of(std::move(text));
}

Value unique(const Value &value, const Call &call) {
  List kept;
  for (const Value &element : elementsOf(value, call.budget)) {
    if (std::none_of(kept.begin(), kept.end(), [&](const Value &each) { return each.equals(element, call.budget); }))
      kept.push_back(element);
  }
  return Value::of(std::move(kept));
}

Value absolute(const Value &value, const Call &) {
  if (value.is(Kind::integer) && value.integer() != INT64_MIN)
    return Value::of(std::abs(value.integer()));
  if (value.is(Kind::number))
    return Value::of(std::abs(value.number()));
  throw TemplateError("'abs' needs a number, got " + std::string(kindName(value.kind())));
}

Value escaped(const Value &value, const Call &call) {
  std::string out;
  for (char c : textOf(value, call.budget))
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&#34;" : c == '\'' ? "&#39;" : std::string(1, c);
  return stringOf(std::move(out), call.budget);
}

using Filter = std::function<Value(const Value &, const Call &)>;
const std::pair<std::string_view, Filter> kFilters[] = {
    {"abs", absolute},
    {"capitalize", [](const Value &v, const Call &c) { return method(v, c, "capitalize"); }},
    {"count", length},
    {"d", fallback},
    {"default", fallback},
    {"dictsort", [](const Value &v, const Call &c) {
       List pairs = items(v, c).list();
       std::stable_sort(pairs.begin(), pairs.end(), [](const Value &a, const Value &b) { return a.list()[0].text() < b.list()[0].text(); });
       return Value::of(std::move(pairs));
     }},
    {"e", escaped},
    {"escape", escaped},
    {"first", [](const Value &v, const Call &c) { return end(v, c, false); }},
    {"float", toNumber},
    {"indent", indent},
    {"int", toInteger},
    {"items", items},
    {"join", join},
    {"last", [](const Value &v, const Call &c) { return end(v, c, true); }},
    {"length", length},
    {"list", [](const Value &v, const Call &c) { return Value::of(elementsOf(v, c.budget)); }},
    {"lower", [](const Value &v, const Call &c) { return method(v, c, "lower"); }},
    {"map", map},
    {"reject", [](const Value &v, const Call &c) { return select(v, c, false, false); }},
    {"rejectattr", [](const Value &v, const Call &c) { return select(v, c, true, false); }},
    {"replace", [](const Value &v, const Call &c) { return method(v, c, "replace"); }},
    {"reverse", reverse},
    {"safe", [](const Value &v, const Call &) { return v; }},
    {"select", [](const Value &v, const Call &c) { return select(v, c, false, true); }},
    {"selectattr", [](const Value &v, const Call &c) { return select(v, c, true, true); }},
    {"sort", sorted},
    {"string", [](const Value &v, const Call &c) { return Value::of(textOf(v, c.budget)); }},
    {"title", [](const Value &v, const Call &c) { return method(v, c, "title"); }},
    {"tojson", tojson},
    {"trim", [](const Value &v, const Call &c) { return method(v, c, "strip"); }},
    {"unique", unique},
    {"upper", [](const Value &v, const Call &c) { return method(v, c, "upper"); }},
};

const Filter *filterOf(std::string_view name) {
  for (const auto &[known, filter] : kFilters)
    if (known == name)
      return &filter;
  return nullptr;
}

} // namespace

bool isFilter(std::string_view name) { return filterOf(name); }

Value applyFilter(const Value &value, const Call &call) {
  const Filter *filter = filterOf(call.name);
  if (!filter)
    throw TemplateError("there is no filter '" + std::string(call.name) + "'");
  return (*filter)(value, call);
}

} // namespace xfmr::chat
