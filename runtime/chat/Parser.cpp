// Recursive descent over the tokens; see Parser.h. Precedence as in Jinja, loosest first: if-else, or, and, not, comparisons,
// ~, + -, * / // %, unary, postfix, filters and tests.
#include "runtime/chat/Parser.h"
#include "runtime/chat/Lexer.h"
#include <charconv>

namespace xfmr::chat {
namespace {

constexpr uint32_t kMaxDepth = 100; // nested statements or expressions: bounds the stack

class Parser {
public:
  Parser(std::vector<Token> tokens, std::string &error) : tokens(std::move(tokens)), error(error) {}

  bool run(Body &body) {
    std::string end;
    statements(body, {}, end);
    return error.empty();
  }

private:
  // ---- tokens ----
  const Token &now() const { return tokens[at]; }
  bool isSymbol(std::string_view s) const { return now().kind == Token::symbol && now().value == s; }
  bool isWord(std::string_view s) const { return now().kind == Token::name && now().value == s; }
  bool takeSymbol(std::string_view s) { return isSymbol(s) && (++at, true); }
  bool takeWord(std::string_view s) { return isWord(s) && (++at, true); }
  void expectSymbol(std::string_view s) {
    if (!takeSymbol(s))
      fail("expected '" + std::string(s) + "', found " + shown());
  }
  std::string expectName() {
    if (now().kind != Token::name) {
      fail("expected a name, found " + shown());
      return "";
    }
    return tokens[at++].value;
  }
  std::string shown() const {
    switch (now().kind) {
    case Token::closeBlock: return "'%}'";
    case Token::closeOutput: return "'}}'";
    case Token::end: return "the end of the template";
    case Token::string: return "a string";
    default: return "'" + now().value + "'";
    }
  }
  void fail(const std::string &what) {
    if (error.empty())
      error = "line " + std::to_string(now().line) + ": " + what;
    at = tokens.size() - 1; // the end: everything stops
  }
  struct Deeper {
    explicit Deeper(Parser &parser) : parser(parser) {
      if (++parser.depth > kMaxDepth)
        parser.fail("nested deeper than " + std::to_string(kMaxDepth));
    }
    ~Deeper() { --parser.depth; }
    Parser &parser;
  };

  // ---- statements ----
  static bool oneOf(const std::string &word, const std::vector<std::string_view> &words) {
    for (std::string_view each : words)
      if (word == each)
        return true;
    return false;
  }

  // Up to a block that begins with one of `ends`, which goes to `end` and is taken (its rest is left).
  void statements(Body &body, const std::vector<std::string_view> &ends, std::string &end) {
    Deeper deeper(*this);
    while (error.empty()) {
      const Token &token = now();
      if (token.kind == Token::end) {
        if (!ends.empty())
          fail("expected {% " + std::string(ends.back()) + " %}, found the end of the template");
        return;
      }
      ++at;
      if (token.kind == Token::text) {
        add(body, Statement::literal, token.line).text = token.value;
      } else if (token.kind == Token::openOutput) {
        Statement &made = add(body, Statement::output, token.line);
        made.expression = expression();
        close(Token::closeOutput);
      } else {
        const std::string word = expectName();
        if (oneOf(word, ends)) {
          end = word;
          return;
        }
        statement(body, word, token.line);
      }
    }
  }

  void statement(Body &body, const std::string &word, uint32_t line) {
    if (word == "if")
      branch(add(body, Statement::branch, line));
    else if (word == "for")
      loop(add(body, Statement::loop, line));
    else if (word == "set")
      set(body, line);
    else if (word == "macro")
      macro(add(body, Statement::macro, line));
    else if (word == "break" || word == "continue") {
      add(body, word == "break" ? Statement::leave : Statement::next, line);
      close(Token::closeBlock);
    } else if (word == "generation" || word == "endgeneration") { // marks what training masks; prints nothing
      close(Token::closeBlock);
    } else {
      --at;
      fail("{% " + word + " %} is not supported; known are if, for, set, macro, break, continue and raw");
    }
  }

  static Statement &add(Body &body, Statement::Kind kind, uint32_t line) {
    body.push_back(std::make_unique<Statement>());
    body.back()->kind = kind;
    body.back()->line = line;
    return *body.back();
  }
  void close(Token::Kind kind) {
    if (error.empty() && now().kind != kind)
      fail(std::string("expected '") + (kind == Token::closeBlock ? "%}" : "}}") + "', found " + shown());
    else if (error.empty())
      ++at;
  }

  void branch(Statement &made) {
    std::string end = "elif";
    while (error.empty() && end == "elif") {
      made.expressions.push_back(expression());
      close(Token::closeBlock);
      made.bodies.emplace_back();
      statements(made.bodies.back(), {"elif", "else", "endif"}, end);
    }
    if (end == "else") {
      close(Token::closeBlock);
      made.bodies.emplace_back();
      statements(made.bodies.back(), {"endif"}, end);
    }
    close(Token::closeBlock);
  }

  void loop(Statement &made) {
    const bool isGrouped = takeSymbol("(");
    do
      made.names.push_back(expectName());
    while (takeSymbol(","));
    if (isGrouped)
      expectSymbol(")");
    if (!takeWord("in"))
      fail("expected 'in', found " + shown());
    made.expression = orExpression(); // `if` belongs to the loop
    if (takeWord("if"))
      made.where = expression();
    if (isWord("recursive"))
      fail("recursive loops are not supported");
    close(Token::closeBlock);
    std::string end;
    made.bodies.resize(2);
    statements(made.bodies[0], {"else", "endfor"}, end);
    if (end == "else") {
      close(Token::closeBlock);
      statements(made.bodies[1], {"endfor"}, end);
    }
    close(Token::closeBlock);
  }

  void set(Body &body, uint32_t line) {
    Statement &made = add(body, Statement::set, line);
    do {
      std::string name = expectName();
      if (takeSymbol("."))
        name += "." + expectName();
      made.names.push_back(name);
    } while (takeSymbol(","));
    if (takeSymbol("=")) {
      made.expression = tupleOrExpression();
      close(Token::closeBlock);
      return;
    }
    made.kind = Statement::setBlock;
    close(Token::closeBlock);
    std::string end;
    made.bodies.resize(1);
    statements(made.bodies[0], {"endset"}, end);
    close(Token::closeBlock);
  }

  void macro(Statement &made) {
    made.names.push_back(expectName());
    expectSymbol("(");
    while (error.empty() && !takeSymbol(")")) {
      if (!made.parameters.empty())
        expectSymbol(",");
      Argument parameter;
      parameter.name = expectName();
      if (takeSymbol("="))
        parameter.value = expression();
      made.parameters.push_back(std::move(parameter));
    }
    close(Token::closeBlock);
    std::string end;
    made.bodies.resize(1);
    statements(made.bodies[0], {"endmacro"}, end);
    close(Token::closeBlock);
  }

  // ---- expressions ----
  ExpressionPtr make(Expression::Kind kind, std::string text = "") {
    auto made = std::make_unique<Expression>();
    made->kind = kind;
    made->line = now().line;
    made->text = std::move(text);
    return made;
  }
  template <typename... Parts> ExpressionPtr make(Expression::Kind kind, std::string text, Parts... parts) {
    ExpressionPtr made = make(kind, std::move(text));
    (made->parts.push_back(std::move(parts)), ...);
    for (const ExpressionPtr &part : made->parts)
      deepen(*made, part);
    return made;
  }
  // A chain such as a.b.b.b is deep without recursion here, but not where it is evaluated.
  void deepen(Expression &made, const ExpressionPtr &part) {
    if (part && part->depth >= made.depth && (made.depth = part->depth + 1) > kMaxDepth)
      fail("an expression nested deeper than " + std::to_string(kMaxDepth));
  }

  ExpressionPtr tupleOrExpression() {
    ExpressionPtr first = expression();
    if (!isSymbol(","))
      return first;
    ExpressionPtr made = make(Expression::list, "", std::move(first));
    while (takeSymbol(","))
      made->parts.push_back(expression());
    return made;
  }

  ExpressionPtr expression() {
    Deeper deeper(*this);
    ExpressionPtr value = orExpression();
    while (error.empty() && takeWord("if")) {
      ExpressionPtr condition = orExpression(), other;
      if (takeWord("else"))
        other = expression();
      value = make(Expression::condition, "", std::move(value), std::move(condition), std::move(other));
    }
    return value;
  }
  ExpressionPtr orExpression() {
    ExpressionPtr left = andExpression();
    while (takeWord("or"))
      left = make(Expression::binary, "or", std::move(left), andExpression());
    return left;
  }
  ExpressionPtr andExpression() {
    ExpressionPtr left = notExpression();
    while (takeWord("and"))
      left = make(Expression::binary, "and", std::move(left), notExpression());
    return left;
  }
  ExpressionPtr notExpression() {
    Deeper deeper(*this);
    return takeWord("not") ? make(Expression::unary, "not", notExpression()) : comparison();
  }
  ExpressionPtr comparison() {
    ExpressionPtr left = sum();
    ExpressionPtr made;
    while (error.empty()) {
      std::string op;
      for (const char *each : {"==", "!=", "<=", ">=", "<", ">"})
        if (op.empty() && takeSymbol(each))
          op = each;
      if (op.empty() && takeWord("in"))
        op = "in";
      else if (op.empty() && isWord("not") && tokens[at + 1].kind == Token::name && tokens[at + 1].value == "in")
        at += 2, op = "not in";
      if (op.empty())
        break;
      if (!made)
        made = make(Expression::compare, "", std::move(left));
      made->words.push_back(op);
      made->parts.push_back(sum());
    }
    return made ? std::move(made) : std::move(left);
  }
  ExpressionPtr sum() {
    ExpressionPtr left = concatenation();
    while (isSymbol("+") || isSymbol("-")) {
      const std::string op = tokens[at++].value;
      left = make(Expression::binary, op, std::move(left), concatenation());
    }
    return left;
  }
  ExpressionPtr concatenation() {
    ExpressionPtr left = product();
    while (takeSymbol("~"))
      left = make(Expression::binary, "~", std::move(left), product());
    return left;
  }
  ExpressionPtr product() {
    ExpressionPtr left = unary();
    while (isSymbol("*") || isSymbol("/") || isSymbol("//") || isSymbol("%")) {
      const std::string op = tokens[at++].value;
      left = make(Expression::binary, op, std::move(left), unary());
    }
    return left;
  }
  // A filter holds for the number with its sign: -3|abs is 3.
  ExpressionPtr unary(bool withFilters = true) {
    Deeper deeper(*this);
    ExpressionPtr made;
    if (isSymbol("-") || isSymbol("+")) {
      const std::string op = tokens[at++].value;
      made = make(Expression::unary, op, unary(false));
    } else {
      made = postfix(primary());
    }
    return withFilters ? filtered(std::move(made)) : std::move(made);
  }

  ExpressionPtr postfix(ExpressionPtr value) {
    while (error.empty()) {
      if (takeSymbol(".")) {
        if (now().kind == Token::integer) {
          ExpressionPtr key = primary();
          value = make(Expression::index, "", std::move(value), std::move(key));
        } else {
          std::string name = expectName();
          value = make(Expression::member, std::move(name), std::move(value));
        }
      } else if (takeSymbol("[")) {
        value = subscript(std::move(value));
      } else if (takeSymbol("(")) {
        value = make(Expression::call, "", std::move(value));
        setArguments(*value);
      } else {
        break;
      }
    }
    return value;
  }

  ExpressionPtr subscript(ExpressionPtr value) {
    ExpressionPtr parts[3];
    size_t colons = 0;
    while (error.empty() && !takeSymbol("]")) {
      if (takeSymbol(":")) {
        if (++colons > 2)
          fail("a slice has at most two colons");
      } else {
        parts[colons] = expression();
      }
    }
    if (colons == 0)
      return make(Expression::index, "", std::move(value), std::move(parts[0]));
    return make(Expression::slice, "", std::move(value), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
  }

  // Behind '('.
  void setArguments(Expression &made) {
    std::vector<Argument> &list = made.arguments;
    while (error.empty() && !takeSymbol(")")) {
      if (!list.empty())
        expectSymbol(",");
      if (takeSymbol(")")) // a comma at the end
        break;
      Argument argument;
      if (now().kind == Token::name && tokens[at + 1].kind == Token::symbol && tokens[at + 1].value == "=") {
        argument.name = now().value;
        at += 2;
      }
      argument.value = expression();
      deepen(made, argument.value);
      list.push_back(std::move(argument));
    }
  }

  ExpressionPtr filtered(ExpressionPtr value) {
    while (error.empty()) {
      if (takeSymbol("|")) {
        std::string name = expectName();
        value = make(Expression::filter, std::move(name), std::move(value));
        if (takeSymbol("("))
          setArguments(*value);
        value = postfix(std::move(value));
      } else if (takeWord("is")) {
        const bool negated = takeWord("not");
        std::string name = expectName();
        value = make(Expression::test, std::move(name), std::move(value));
        value->negated = negated;
        if (takeSymbol("("))
          setArguments(*value);
        else if (startsOperand())
          value->arguments.push_back({"", postfix(primary())});
      } else {
        break;
      }
    }
    return value;
  }
  // Whether an argument of a test follows without parentheses, as in `is divisibleby 3`.
  bool startsOperand() const {
    if (now().kind == Token::name)
      return !(isWord("and") || isWord("or") || isWord("not") || isWord("if") || isWord("else") || isWord("in") || isWord("is"));
    return now().kind == Token::string || now().kind == Token::integer || now().kind == Token::number || isSymbol("[");
  }

  ExpressionPtr primary() {
    Deeper deeper(*this);
    const Token token = now();
    ExpressionPtr made = make(Expression::literal);
    if (token.kind == Token::string) {
      std::string text;
      while (now().kind == Token::string) // neighbours join
        text += tokens[at++].value;
      made->value = Value::of(std::move(text));
    } else if (token.kind == Token::integer) {
      int64_t number = 0;
      if (std::from_chars(token.value.data(), token.value.data() + token.value.size(), number).ec != std::errc())
        fail("the number " + token.value + " is too large");
      else
        ++at;
      made->value = Value::of(number);
    } else if (token.kind == Token::number) {
      ++at;
      double number = 0;
      std::from_chars(token.value.data(), token.value.data() + token.value.size(), number);
      made->value = Value::of(number);
    } else if (token.kind == Token::name) {
      ++at;
      const std::string &n = token.value;
      if (n == "true" || n == "True" || n == "false" || n == "False")
        made->value = Value::of(n[0] == 't' || n[0] == 'T');
      else if (n == "none" || n == "None")
        made->value = Value::none();
      else
        made->kind = Expression::name, made->text = n;
    } else if (takeSymbol("(")) {
      made = isSymbol(")") ? make(Expression::list) : tuple(expression());
      expectSymbol(")");
    } else if (takeSymbol("[")) {
      made->kind = Expression::list;
      while (error.empty() && !takeSymbol("]")) {
        if (!made->parts.empty())
          expectSymbol(",");
        if (takeSymbol("]"))
          break;
        made->parts.push_back(expression());
      }
    } else if (takeSymbol("{")) {
      made->kind = Expression::map;
      while (error.empty() && !takeSymbol("}")) {
        if (!made->parts.empty())
          expectSymbol(",");
        if (takeSymbol("}"))
          break;
        made->parts.push_back(expression());
        expectSymbol(":");
        made->parts.push_back(expression());
      }
    } else {
      fail("expected an expression, found " + shown());
    }
    return made;
  }
  ExpressionPtr tuple(ExpressionPtr first) {
    if (!isSymbol(","))
      return first;
    ExpressionPtr made = make(Expression::list, "", std::move(first));
    while (error.empty() && takeSymbol(",") && !isSymbol(")"))
      made->parts.push_back(expression());
    return made;
  }

  std::vector<Token> tokens;
  std::string &error;
  size_t at = 0;
  uint32_t depth = 0;
};

} // namespace

bool parseTemplate(std::string_view source, Body &body, std::string &error) {
  std::vector<Token> tokens;
  error.clear();
  return tokenize(source, tokens, error) && Parser(std::move(tokens), error).run(body);
}

} // namespace xfmr::chat
