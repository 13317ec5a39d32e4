// Printing of values; see Text.h.
#include "runtime/chat/Text.h"
#include <charconv>
#include <cmath>

namespace xfmr::chat {
namespace {

constexpr int kMaxPrinted = 100; // nesting: a namespace may hold itself

std::string numberText(double value, bool json) {
  if (std::isnan(value))
    return json ? "NaN" : "nan";
  if (std::isinf(value))
    return std::string(value < 0 ? "-" : "") + (json ? "Infinity" : "inf");
  char buffer[64];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  return text.find_first_of(".e") == text.npos ? text + ".0" : text;
}

std::string quotedJson(const std::string &text) {
  std::string out = "\"";
  for (char c : text) {
    constexpr std::string_view kNamed = "\"\\\n\r\t\b\f", kNames = "\"\\nrtbf";
    const size_t known = kNamed.find(c);
    if (known != kNamed.npos) {
      (out += '\\') += kNames[known];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      ((out += "\\u00") += kHex[c >> 4]) += kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string quotedPython(const std::string &text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string out(1, quote);
  for (char c : text) {
    constexpr std::string_view kNamed = "\\\n\r\t", kNames = "\\nrt";
    const size_t known = kNamed.find(c);
    if (known != kNamed.npos)
      (out += '\\') += kNames[known];
    else if (c == quote)
      (out += '\\') += c;
    else
      out += c;
  }
  return out + quote;
}

class Printer {
public:
  Printer(bool json, int64_t indent, Budget &budget) : json(json), indent(indent), budget(budget) {}

  void print(const Value &value, int depth) {
    budget.step();
    if (depth > kMaxPrinted)
      throw TemplateError("a value nested deeper than " + std::to_string(kMaxPrinted) + " cannot be printed");
    switch (value.kind()) {
    case Kind::undefined:
      if (json)
        throw TemplateError("'" + std::string(value.name()) + "' is undefined, tojson needs a value");
      return;
    case Kind::none: return put(json ? "null" : "None");
    case Kind::boolean: return put(value.truth() ? (json ? "true" : "True") : json ? "false" : "False");
    case Kind::integer: return put(std::to_string(value.integer()));
    case Kind::number: return put(numberText(value.number(), json));
    case Kind::string: return put(json ? quotedJson(value.text()) : depth ? quotedPython(value.text()) : value.text());
    case Kind::macro: throw TemplateError("a macro cannot be printed: call it");
    case Kind::list: {
      size_t count = 0;
      put("[");
      for (const Value &element : value.list()) {
        between(count++, depth);
        print(element, depth + 1);
      }
      return close("]", count, depth);
    }
    case Kind::map:
    case Kind::space: {
      size_t count = 0;
      put("{");
      for (const auto &[key, element] : value.map()) {
        between(count++, depth);
        put((json ? quotedJson(key) : quotedPython(key)) + ": ");
        print(element, depth + 1);
      }
      return close("}", count, depth);
    }
    }
  }
  std::string text;

private:
  void put(std::string_view part) {
    budget.bytes(part.size());
    text += part;
  }
  void between(size_t count, int depth) {
    if (json && indent >= 0)
      put((count ? ",\n" : "\n") + std::string(static_cast<size_t>(indent) * (depth + 1), ' '));
    else if (count)
      put(", ");
  }
  void close(std::string_view end, size_t count, int depth) {
    if (json && indent >= 0 && count)
      put("\n" + std::string(static_cast<size_t>(indent) * depth, ' '));
    put(end);
  }

  bool json;
  int64_t indent;
  Budget &budget;
};

} // namespace

std::string toText(const Value &value, Budget &budget) {
  Printer printer(/*json=*/false, -1, budget);
  printer.print(value, 0);
  return std::move(printer.text);
}

std::string toJson(const Value &value, int64_t indent, Budget &budget) {
  if (indent > 64)
    throw TemplateError("an indent of " + std::to_string(indent) + ", at most 64 are allowed");
  Printer printer(/*json=*/true, indent, budget);
  printer.print(value, 0);
  return std::move(printer.text);
}

} // namespace xfmr::chat
