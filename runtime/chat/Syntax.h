// A parsed template: expressions and statements. Plain data; Parser makes it, Evaluator walks it.
#pragma once
#include "runtime/chat/Value.h"
#include <memory>
#include <string>
#include <vector>

namespace xfmr::chat {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Argument {
  std::string name; // empty: by position
  ExpressionPtr value;
};

struct Expression {
  enum Kind : uint8_t {
    literal,   // value
    name,      // text
    list,      // parts
    map,       // parts: key, value, key, value …
    unary,     // text: "not", "-", "+"; parts[0]
    binary,    // text: operator, "and", "or", "in", "not in"; parts[0], parts[1]
    compare,   // parts[0] op parts[1] op parts[2] …; words: the operators
    condition, // parts[0] if parts[1] else parts[2] (may be null)
    member,    // parts[0].text
    index,     // parts[0][parts[1]]
    slice,     // parts[0][parts[1]:parts[2]:parts[3]], each of them may be null
    call,      // parts[0](arguments)
    filter,    // parts[0] | text(arguments)
    test       // parts[0] is text(arguments); negated
  } kind;
  uint32_t line = 0;
  uint32_t depth = 1; // of the tree below
  std::string text;
  Value value;
  bool negated = false;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> words;
  std::vector<Argument> arguments;
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct Statement {
  enum Kind : uint8_t {
    literal, // text
    output,  // expression
    branch,  // expressions[i] -> bodies[i]; one body more is the else
    loop,    // names in expression, only where `where`; bodies[0], bodies[1] if empty
    set,     // names = expression; a name "a.b" sets a field of a namespace
    setBlock,// names[0] = what bodies[0] prints
    macro,   // names[0] with parameters; bodies[0]
    leave,   // break
    next     // continue
  } kind;
  uint32_t line = 0;
  std::string text;
  std::vector<std::string> names;
  ExpressionPtr expression, where;
  std::vector<ExpressionPtr> expressions;
  std::vector<Argument> parameters; // their defaults, or null
  std::vector<Body> bodies;
};

} // namespace xfmr::chat
