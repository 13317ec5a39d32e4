// Methods of Python's strings, mappings and lists; none of them changes its object. Upper and lower case of ASCII letters only.
#include "runtime/chat/Builtins.h"
#include "runtime/chat/Text.h"
#include <algorithm>

namespace xfmr::chat {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool isLetter(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

std::string stripped(const std::string &text, const Call &call, bool left, bool right) {
  call.atMost(1);
  const std::string_view set = call.positional.empty() || !call.positional[0].is(Kind::string)
                                   ? std::string_view(" \t\n\r\f\v") : std::string_view(call.positional[0].text());
  size_t begin = 0, end = text.size();
  while (left && begin < end && set.find(text[begin]) != set.npos)
    ++begin;
  while (right && end > begin && set.find(text[end - 1]) != set.npos)
    --end;
  return text.substr(begin, end - begin);
}

Value split(const std::string &text, const Call &call, bool fromRight) {
  const Value *given = call.argument(0, "sep"), *limit = call.argument(1, "maxsplit");
  int64_t left = limit && limit->is(Kind::integer) && limit->integer() >= 0 ? limit->integer() : INT64_MAX;
  List parts;
  auto add = [&](std::string part) {
    call.budget.bytes(sizeof(Value) + part.size());
    parts.push_back(Value::of(std::move(part)));
  };
  if (!given || given->is(Kind::none)) { // at runs of white space
    constexpr std::string_view kSpace = " \t\n\r\f\v";
    for (size_t at = text.find_first_not_of(kSpace); at != text.npos; --left) {
      const size_t end = left > 0 ? std::min(text.find_first_of(kSpace, at), text.size()) : text.find_last_not_of(kSpace) + 1;
      add(text.substr(at, end - at));
      at = text.find_first_not_of(kSpace, end);
    }
    return Value::of(std::move(parts));
  }
  const std::string &separator = call.text(0, "sep");
  if (separator.empty())
    throw TemplateError("'split' at an empty string");
  if (fromRight) {
    size_t end = text.size();
    for (size_t at; left > 0 && end >= separator.size() && (at = text.rfind(separator, end - separator.size())) != text.npos; --left) {
      add(text.substr(at + separator.size(), end - at - separator.size()));
      end = at;
    }
    add(text.substr(0, end));
    std::reverse(parts.begin(), parts.end());
    return Value::of(std::move(parts));
  }
  size_t at = 0;
  for (size_t end; left > 0 && (end = text.find(separator, at)) != text.npos; --left, at = end + separator.size())
    add(text.substr(at, end - at));
  add(text.substr(at));
  return Value::of(std::move(parts));
}

bool affix(const std::string &text, const Call &call, bool end) {
  auto holds = [&](const Value &part) {
    if (!part.is(Kind::string))
      throw TemplateError("'" + std::string(call.name) + "' needs a string, got " + kindName(part.kind()));
    const std::string &t = part.text();
    return text.size() >= t.size() && text.compare(end ? text.size() - t.size() : 0, t.size(), t) == 0;
  };
  if (call.positional.size() != 1)
    throw TemplateError("'" + std::string(call.name) + "' needs a string");
  const Value &given = call.positional[0];
  if (!given.is(Kind::list))
    return holds(given);
  return std::any_of(given.list().begin(), given.list().end(), holds);
}

std::string replaced(const std::string &text, const Call &call) {
  const std::string &old = call.text(0, "old"), &fresh = call.text(1, "new");
  const Value *count = call.argument(2, "count");
  int64_t left = count && count->is(Kind::integer) && count->integer() >= 0 ? count->integer() : INT64_MAX;
  std::string out;
  size_t at = 0;
  if (old.empty())
    throw TemplateError("'replace' of an empty string");
  for (size_t found; left > 0 && (found = text.find(old, at)) != text.npos; --left, at = found + old.size()) {
    call.budget.bytes(found - at + fresh.size());
    out.append(text, at, found - at) += fresh;
  }
  return out.append(text, at, text.npos);
}

// `title`: a capital at the start of each word; else only at the start.
std::string capitals(std::string text, bool title) {
  bool inWord = false;
  for (char &c : text) {
    c = inWord ? lower(c) : upper(c);
    inWord = title ? isLetter(c) : true;
  }
  return text;
}

bool isAll(const std::string &text, bool (*wanted)(char)) { return !text.empty() && std::all_of(text.begin(), text.end(), wanted); }

Value ofString(const std::string &text, const Call &call) {
  const std::string_view name = call.name;
  call.budget.step(text.size() / 16);
  auto each = [&](char (*change)(char)) {
    std::string out = text;
    std::transform(out.begin(), out.end(), out.begin(), change);
    return out;
  };
  auto made = [&](std::string out) {
    call.budget.bytes(out.size());
    return Value::of(std::move(out));
  };
  if (name == "strip" || name == "lstrip" || name == "rstrip")
    return made(stripped(text, call, name != "rstrip", name != "lstrip"));
  if (name == "split" || name == "rsplit")
    return split(text, call, name == "rsplit");
  if (name == "startswith" || name == "endswith")
    return Value::of(affix(text, call, name == "endswith"));
  if (name == "upper")
    return made(each(upper));
  if (name == "lower")
    return made(each(lower));
  if (name == "title" || name == "capitalize")
    return made(capitals(text, name == "title"));
  if (name == "replace")
    return made(replaced(text, call));
  if (name == "isdigit")
    return Value::of(isAll(text, [](char c) { return c >= '0' && c <= '9'; }));
  if (name == "isspace")
    return Value::of(isAll(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }));
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string &part = call.text(0, "part");
    const bool holds = affix(text, call, name == "removesuffix");
    return made(!holds ? text : name == "removeprefix" ? text.substr(part.size()) : text.substr(0, text.size() - part.size()));
  }
  if (name == "splitlines")
    return split(text, Call{"split", {Value::of(std::string("\n"))}, {}, call.budget}, false);
  if (name == "count" || name == "find") {
    const std::string &part = call.text(0, "sub");
    if (name == "find") {
      const size_t at = text.find(part);
      return Value::of(at == text.npos ? int64_t(-1) : static_cast<int64_t>(characterStarts(text.substr(0, at)).size() - 1));
    }
    int64_t count = 0;
    for (size_t at = 0; !part.empty() && (at = text.find(part, at)) != text.npos; at += part.size())
      ++count;
    return Value::of(count);
  }
  if (name == "join") {
    std::string out;
    bool first = true;
    for (const Value &element : elementsOf(call.positional.empty() ? Value() : call.positional[0], call.budget)) {
      if (!element.is(Kind::string))
        throw TemplateError("'join' needs strings, got " + std::string(kindName(element.kind())));
      call.budget.bytes(element.text().size() + text.size());
      out += (first ? "" : text) + element.text();
      first = false;
    }
    return Value::of(std::move(out));
  }
  throw TemplateError("a string has no method '" + std::string(name) + "'");
}

Value ofMap(const Value &value, const Call &call) {
  if (call.name == "items")
    return applyFilter(value, call);
  if (call.name == "keys")
    return Value::of(elementsOf(value, call.budget));
  if (call.name == "values") {
    List list;
    for (const auto &[key, element] : value.map())
      list.push_back(element);
    call.budget.bytes(list.size() * sizeof(Value));
    return Value::of(std::move(list));
  }
  if (call.name == "get") {
    const Value *found = value.find(call.text(0, "key")), *other = call.argument(1, "default");
    return found ? *found : other ? *other : Value::none();
  }
  throw TemplateError("a mapping has no method '" + std::string(call.name) + "'; those that change it are refused");
}

Value ofList(const Value &value, const Call &call) {
  const List &list = value.list();
  call.budget.step(list.size());
  if ((call.name == "index" || call.name == "count") && call.positional.size() == 1) {
    auto isMeant = [&](const Value &each) { return each.equals(call.positional[0], call.budget); };
    if (call.name == "count")
      return Value::of(static_cast<int64_t>(std::count_if(list.begin(), list.end(), isMeant)));
    auto at = std::find_if(list.begin(), list.end(), isMeant);
    if (at != list.end())
      return Value::of(static_cast<int64_t>(at - list.begin()));
    throw TemplateError("'index' of what is not in the list");
  }
  throw TemplateError("a list has no method '" + std::string(call.name) + "'; those that change it are refused");
}

} // namespace

Value callMethod(const Value &value, const Call &call) {
  switch (value.kind()) {
  case Kind::string: return ofString(value.text(), call);
  case Kind::map: return ofMap(value, call);
  case Kind::list: return ofList(value, call);
  default:
    throw TemplateError(std::string(kindName(value.kind())) +
                        (value.name().empty() ? "" : " ('" + std::string(value.name()) + "')") + " has no method '" +
                        std::string(call.name) + "'");
  }
}

} // namespace xfmr::chat
