// Statements and expressions; see Evaluator.h.
#include "runtime/chat/Evaluator.h"
#include "runtime/chat/Builtins.h"
#include "runtime/chat/Text.h"
#include <algorithm>
#include <cmath>

namespace xfmr::chat {
namespace {

using Scope = std::map<std::string, Value, std::less<>>;
enum class Flow : uint8_t { on, leave, next };

class Evaluator {
public:
  Evaluator(const Map &globals, std::string &out) : out(&out) {
    scopes.emplace_back(globals.begin(), globals.end());
    scopes.emplace_back(); // of the template
  }
  ~Evaluator() {
    for (const Value &space : spaces) // they may hold each other
      space.fields().clear();
  }

  Flow run(const Body &body) {
    for (const auto &statement : body) {
      budget.step();
      line = statement->line;
      if (Flow flow = run(*statement); flow != Flow::on)
        return flow;
    }
    return Flow::on;
  }
  uint32_t line = 1;

private:
  struct Deeper {
    explicit Deeper(Evaluator &e) : e(e) {
      if (++e.depth > kMaxRunDepth) {
        --e.depth;
        throw TemplateError("calls and expressions nest deeper than " + std::to_string(kMaxRunDepth));
      }
    }
    ~Deeper() { --e.depth; }
    Evaluator &e;
  };

  void print(std::string_view text) {
    budget.bytes(text.size());
    *out += text;
  }

  // ---- statements ----
  Flow run(const Statement &s) {
    Deeper deeper(*this);
    switch (s.kind) {
    case Statement::literal: print(s.text); break;
    case Statement::output: print(toText(value(*s.expression), budget)); break;
    case Statement::branch:
      for (size_t i = 0; i < s.bodies.size(); ++i)
        if (i >= s.expressions.size() || value(*s.expressions[i]).truth())
          return run(s.bodies[i]);
      break;
    case Statement::loop: loop(s); break;
    case Statement::set: assign(s.names, value(*s.expression)); break;
    case Statement::setBlock: assign(s.names, Value::of(captured(s.bodies[0]))); break;
    case Statement::macro: scopes.back()[s.names[0]] = Value::of(std::make_shared<const Macro>(Macro{&s})); break;
    case Statement::leave: return Flow::leave;
    case Statement::next: return Flow::next;
    }
    return Flow::on;
  }

  std::string captured(const Body &body) {
    std::string text, *before = out;
    out = &text;
    run(body);
    out = before;
    return text;
  }

  void assign(const std::vector<std::string> &names, const Value &given) {
    if (names.size() == 1)
      return assign(names[0], given);
    if (!given.is(Kind::list) || given.list().size() != names.size())
      throw TemplateError("cannot spread " + std::string(kindName(given.kind())) + " over " + std::to_string(names.size()) + " names");
    for (size_t i = 0; i < names.size(); ++i)
      assign(names[i], given.list()[i]);
  }
  void assign(const std::string &name, const Value &given) {
    const size_t dot = name.find('.');
    if (dot == name.npos) {
      scopes.back()[name] = given;
      return;
    }
    const Value space = lookup(name.substr(0, dot));
    if (!space.is(Kind::space))
      throw TemplateError("cannot set '" + name + "': '" + name.substr(0, dot) + "' is " + kindName(space.kind()) + ", not a namespace");
    const std::string field = name.substr(dot + 1);
    Map &fields = space.fields();
    auto at = std::find_if(fields.begin(), fields.end(), [&](const auto &entry) { return entry.first == field; });
    if (at != fields.end())
      at->second = given;
    else
      fields.emplace_back(field, given);
  }

  void loop(const Statement &s) {
    List elements = elementsOf(value(*s.expression), budget);
    scopes.emplace_back();
    if (s.where) {
      List kept;
      for (const Value &element : elements) {
        budget.step();
        assign(s.names, element);
        if (value(*s.where).truth())
          kept.push_back(element);
      }
      elements = std::move(kept);
    }
    const auto count = static_cast<int64_t>(elements.size());
    for (int64_t i = 0; i < count; ++i) {
      budget.step();
      scopes.back().clear();
      assign(s.names, elements[i]);
      auto number = [](int64_t n) { return Value::of(n); };
      scopes.back()["loop"] = Value::of(Map{
          {"index", number(i + 1)}, {"index0", number(i)}, {"revindex", number(count - i)}, {"revindex0", number(count - i - 1)},
          {"first", Value::of(i == 0)}, {"last", Value::of(i + 1 == count)}, {"length", number(count)},
          {"previtem", i ? elements[i - 1] : Value::missing("previtem")},
          {"nextitem", i + 1 < count ? elements[i + 1] : Value::missing("nextitem")}});
      if (run(s.bodies[0]) == Flow::leave)
        break;
    }
    scopes.pop_back();
    if (count == 0)
      run(s.bodies[1]);
  }

  // ---- expressions ----
  Value lookup(const std::string &name) const {
    for (size_t i = scopes.size(); i-- > 0;) {
      if (i >= 2 && i < hidden)
        continue; // scopes of whoever called the macro
      if (auto at = scopes[i].find(name); at != scopes[i].end())
        return at->second;
    }
    return Value::missing(name);
  }

  Value value(const Expression &e) {
    Deeper deeper(*this);
    budget.step();
    line = e.line;
    switch (e.kind) {
    case Expression::literal: return e.value;
    case Expression::name: return lookup(e.text);
    case Expression::list: {
      List list;
      for (const ExpressionPtr &part : e.parts)
        list.push_back(value(*part));
      budget.bytes(list.size() * sizeof(Value));
      return Value::of(std::move(list));
    }
    case Expression::map: return mapOf(e);
    case Expression::unary: return unary(e);
    case Expression::binary: return binary(e);
    case Expression::compare: return compare(e);
    case Expression::condition:
      if (value(*e.parts[1]).truth())
        return value(*e.parts[0]);
      return e.parts[2] ? value(*e.parts[2]) : Value::missing("the else of an if");
    case Expression::member: return member(value(*e.parts[0]), e.text);
    case Expression::index: return e.parts[1] ? element(value(*e.parts[0]), value(*e.parts[1])) : throw TemplateError("an empty index");
    case Expression::slice: return slice(e);
    case Expression::call: return call(e);
    case Expression::filter: {
      if (!isFilter(e.text))
        throw TemplateError("there is no filter '" + e.text + "'");
      const Value subject = value(*e.parts[0]);
      return applyFilter(subject, arguments(e, e.text));
    }
    case Expression::test: {
      if (!isTest(e.text))
        throw TemplateError("there is no test '" + e.text + "'");
      const Value subject = value(*e.parts[0]);
      return Value::of(applyTest(subject, arguments(e, e.text)) != e.negated);
    }
    }
    return Value();
  }

  Value mapOf(const Expression &e) {
    Map map;
    for (size_t i = 0; i < e.parts.size(); i += 2) {
      const Value key = value(*e.parts[i]), entry = value(*e.parts[i + 1]);
      if (!key.is(Kind::string))
        throw TemplateError("a key is " + std::string(kindName(key.kind())) + ", expected a string");
      auto at = std::find_if(map.begin(), map.end(), [&](const auto &known) { return known.first == key.text(); });
      if (at != map.end())
        at->second = entry;
      else
        map.emplace_back(key.text(), entry);
    }
    return Value::of(std::move(map));
  }

  Value unary(const Expression &e) {
    const Value operand = value(*e.parts[0]);
    if (e.text == "not")
      return Value::of(!operand.truth());
    if (operand.is(Kind::number))
      return Value::of(e.text == "-" ? -operand.number() : operand.number());
    if (!operand.isNumber() || operand.integer() == INT64_MIN)
      throw TemplateError("'" + e.text + "' of " + kindName(operand.kind()));
    return Value::of(e.text == "-" ? -operand.integer() : operand.integer());
  }

  Value binary(const Expression &e) {
    const Value left = value(*e.parts[0]);
    if (e.text == "and")
      return left.truth() ? value(*e.parts[1]) : left;
    if (e.text == "or")
      return left.truth() ? left : value(*e.parts[1]);
    const Value right = value(*e.parts[1]);
    if (e.text == "~") {
      std::string text = toText(left, budget) + toText(right, budget);
      budget.bytes(text.size());
      return Value::of(std::move(text));
    }
    if (e.text == "+" && left.is(Kind::string) && right.is(Kind::string)) {
      budget.bytes(left.text().size() + right.text().size());
      return Value::of(left.text() + right.text());
    }
    if (e.text == "+" && left.is(Kind::list) && right.is(Kind::list)) {
      List list = left.list();
      list.insert(list.end(), right.list().begin(), right.list().end());
      budget.bytes(list.size() * sizeof(Value));
      return Value::of(std::move(list));
    }
    if (e.text == "*" && left.is(Kind::string) && right.is(Kind::integer))
      return repeated(left.text(), right.integer());
    if (!left.isNumber() || !right.isNumber())
      throw TemplateError("'" + e.text + "' between " + named(left) + " and " + named(right));
    return arithmetic(e.text, left, right);
  }
  static std::string named(const Value &value) {
    return value.is(Kind::undefined) && !value.name().empty() ? "'" + std::string(value.name()) + "', which is undefined,"
                                                              : kindName(value.kind());
  }
  Value repeated(const std::string &text, int64_t count) {
    std::string made;
    if (count > 0 && !text.empty()) {
      budget.bytes(static_cast<uint64_t>(count) > kMaxBytes ? kMaxBytes + 1 : text.size() * static_cast<uint64_t>(count));
      for (int64_t i = 0; i < count; ++i)
        made += text;
    }
    return Value::of(std::move(made));
  }

  static Value arithmetic(const std::string &op, const Value &left, const Value &right) {
    if (op == "/" || left.is(Kind::number) || right.is(Kind::number)) {
      const double a = left.number(), b = right.number();
      if ((op == "/" || op == "//" || op == "%") && b == 0)
        throw TemplateError("division by zero");
      return Value::of(op == "+" ? a + b : op == "-" ? a - b : op == "*" ? a * b : op == "/" ? a / b
                       : op == "//" ? std::floor(a / b) : a - b * std::floor(a / b));
    }
    const int64_t a = left.integer(), b = right.integer();
    int64_t result = 0;
    bool overflow = false;
    if (op == "+")
      overflow = __builtin_add_overflow(a, b, &result);
    else if (op == "-")
      overflow = __builtin_sub_overflow(a, b, &result);
    else if (op == "*")
      overflow = __builtin_mul_overflow(a, b, &result);
    else if (b == 0)
      throw TemplateError("division by zero");
    else if (b == -1)
      overflow = op == "//" && __builtin_sub_overflow(int64_t(0), a, &result);
    else {
      const int64_t quotient = a / b - (a % b != 0 && (a < 0) != (b < 0)); // towards minus infinity
      result = op == "//" ? quotient : a - b * quotient;
    }
    if (overflow)
      throw TemplateError("an integer leaves 64 bits");
    return Value::of(result);
  }

  Value compare(const Expression &e) {
    Value left = value(*e.parts[0]);
    for (size_t i = 0; i < e.words.size(); ++i) {
      const Value right = value(*e.parts[i + 1]);
      const std::string &op = e.words[i];
      bool holds;
      if (op == "in" || op == "not in")
        holds = contains(right, left, budget) == (op == "in");
      else if (op == "==" || op == "!=")
        holds = left.equals(right, budget) == (op == "==");
      else {
        const int way = order(left, right);
        holds = op == "<" ? way < 0 : op == "<=" ? way <= 0 : op == ">" ? way > 0 : way >= 0;
      }
      if (!holds)
        return Value::of(false);
      left = right;
    }
    return Value::of(true);
  }

  Value member(const Value &object, const std::string &name) {
    if (object.is(Kind::undefined))
      throw TemplateError("'" + std::string(object.name()) + "' is undefined, so it has no '" + name + "'");
    const Value *found = object.find(name);
    return found ? *found : Value::missing(name);
  }

  Value element(const Value &object, const Value &key) {
    if (key.is(Kind::string))
      return member(object, key.text());
    if (object.is(Kind::undefined))
      throw TemplateError("'" + std::string(object.name()) + "' is undefined, so it has no elements");
    if (!key.is(Kind::integer))
      throw TemplateError("an index is " + std::string(kindName(key.kind())));
    const List elements = object.is(Kind::list) ? List() : elementsOf(object, budget);
    const List &list = object.is(Kind::list) ? object.list() : elements;
    const auto count = static_cast<int64_t>(list.size());
    const int64_t at = key.integer() < 0 ? key.integer() + count : key.integer();
    return at >= 0 && at < count ? list[static_cast<size_t>(at)] : Value::missing("element " + std::to_string(key.integer()));
  }

  Value slice(const Expression &e) {
    const Value object = value(*e.parts[0]);
    const List elements = elementsOf(object, budget);
    const auto count = static_cast<int64_t>(elements.size());
    auto bound = [&](size_t part, int64_t missing) {
      if (!e.parts[part])
        return missing;
      const Value given = value(*e.parts[part]);
      if (given.is(Kind::none))
        return missing;
      if (!given.is(Kind::integer))
        throw TemplateError("a slice is from " + std::string(kindName(given.kind())) + ", expected an integer");
      return given.integer();
    };
    const int64_t step = bound(3, 1);
    if (step == 0)
      throw TemplateError("a slice cannot step by 0");
    auto inside = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + count : at, step > 0 ? 0 : -1,
                                                                     step > 0 ? count : count - 1); };
    const int64_t first = e.parts[1] ? inside(bound(1, 0)) : step > 0 ? 0 : count - 1;
    const int64_t last = e.parts[2] ? inside(bound(2, count)) : step > 0 ? count : -1;
    List list;
    for (int64_t at = first; step > 0 ? at < last : at > last; ) {
      list.push_back(elements[static_cast<size_t>(at)]);
      if (__builtin_add_overflow(at, step, &at))
        break;
    }
    if (!object.is(Kind::string))
      return Value::of(std::move(list));
    std::string text;
    for (const Value &character : list)
      text += character.text();
    return Value::of(std::move(text));
  }

  Call arguments(const Expression &e, std::string_view name) {
    Call made{name, {}, {}, budget};
    for (const Argument &argument : e.arguments) {
      Value given = value(*argument.value);
      if (argument.name.empty())
        made.positional.push_back(std::move(given));
      else
        made.named.emplace_back(argument.name, std::move(given));
    }
    budget.step(e.arguments.size());
    return made;
  }

  Value call(const Expression &e) {
    const Expression &callee = *e.parts[0];
    if (callee.kind == Expression::member) {
      const Value object = value(*callee.parts[0]);
      const Value *field = object.is(Kind::map) || object.is(Kind::space) ? object.find(callee.text) : nullptr;
      if (field && field->is(Kind::macro))
        return run(field->macro(), arguments(e, callee.text));
      return callMethod(object, arguments(e, callee.text));
    }
    if (callee.kind == Expression::name) {
      const Value known = lookup(callee.text);
      if (known.is(Kind::macro))
        return run(known.macro(), arguments(e, callee.text));
      Value result;
      if (known.is(Kind::undefined) && callFunction(arguments(e, callee.text), result)) {
        if (result.is(Kind::space)) {
          budget.bytes(256); // it lives until the end
          spaces.push_back(result);
        }
        return result;
      }
      throw TemplateError("'" + callee.text + "' cannot be called: it is " + kindName(known.kind()));
    }
    throw TemplateError("only a name or a method can be called");
  }

  Value run(const Macro &macro, const Call &call) {
    const Statement &s = *macro.statement;
    call.atMost(s.parameters.size());
    Scope own;
    for (size_t i = 0; i < s.parameters.size(); ++i) {
      const Argument &parameter = s.parameters[i];
      if (const Value *given = call.argument(i, parameter.name))
        own[parameter.name] = *given;
      else
        own[parameter.name] = parameter.value ? value(*parameter.value) : Value::missing(parameter.name);
    }
    const size_t before = hidden;
    hidden = scopes.size();
    scopes.push_back(std::move(own));
    std::string text = captured(s.bodies[0]);
    scopes.pop_back();
    hidden = before;
    return Value::of(std::move(text));
  }

  std::string *out;
  std::vector<Scope> scopes; // globals, the template's, then loops and macros
  size_t hidden = 0;         // scopes 2 … hidden-1 are not seen from a macro
  std::vector<Value> spaces;
  Budget budget;
  uint32_t depth = 0;
};

} // namespace

void evaluate(const Body &body, const Map &globals, std::string &out) {
  Evaluator evaluator(globals, out);
  try {
    evaluator.run(body);
  } catch (const TemplateError &error) {
    throw TemplateError("line " + std::to_string(evaluator.line) + ": " + error.what());
  }
}

} // namespace xfmr::chat
