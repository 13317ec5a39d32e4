// Values of chat templates, as Jinja has them: what JSON can say, undefined, namespaces, and macros. Lists and maps are
// shared and never change; a namespace may, so it is the only way to a cycle (Evaluator clears them at the end).
#pragma once
#include "runtime/chat/Limits.h"
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xfmr::chat {

class Value;
struct Macro; // Evaluator.h
using List = std::vector<Value>;
using Map = std::vector<std::pair<std::string, Value>>; // in order, no key twice

enum class Kind : uint8_t { undefined, none, boolean, integer, number, string, list, map, space, macro };

class Value {
public:
  Value() = default; // undefined
  static Value none() { return Value(Kind::none); }
  static Value of(bool value);
  static Value of(int64_t value);
  static Value of(double value);
  static Value of(std::string text);
  /// At most kMaxNesting lists and maps in each other: so destroying and comparing stay shallow.
  static Value of(List list);
  static Value of(Map map);
  static Value of(std::shared_ptr<const Macro> macro);
  static Value makeSpace(Map fields); // a namespace
  /// An undefined value that errors can name.
  static Value missing(std::string name);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool isNumber() const { return kind_ == Kind::integer || kind_ == Kind::number || kind_ == Kind::boolean; }
  int64_t integer() const { return integer_; } // of boolean and integer
  double number() const { return kind_ == Kind::number ? number_ : static_cast<double>(integer_); }
  const std::string &text() const { return *text_; } // of a string; of undefined: its name
  const List &list() const { return *list_; }
  const Map &map() const { return *map_; } // of a namespace too
  Map &fields() const { return *map_; }    // of a namespace
  const Macro &macro() const { return *macro_; }
  std::string_view name() const { return text_ ? std::string_view(*text_) : std::string_view(); }

  /// The entry of a map or namespace; null if there is none.
  const Value *find(std::string_view key) const;
  /// What an `if` asks.
  bool truth() const;
  bool equals(const Value &other, Budget &budget) const;

private:
  explicit Value(Kind kind) : kind_(kind) {}
  void nest();
  Kind kind_ = Kind::undefined;
  uint8_t nesting_ = 0; // of lists and maps; namespaces count as 0, see Evaluator
  int64_t integer_ = 0;
  double number_ = 0;
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<const List> list_;
  std::shared_ptr<Map> map_;
  std::shared_ptr<const Macro> macro_;
};

/// For messages: "a string".
const char *kindName(Kind kind);

/// Characters of UTF-8 text: where each begins, and the end.
std::vector<size_t> characterStarts(std::string_view text);

} // namespace xfmr::chat
