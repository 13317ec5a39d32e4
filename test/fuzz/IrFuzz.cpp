// IR as text: its tokens are changed one by one, then it is parsed and verified, and printed and parsed again where it is right.
// What is under test are the parsers, verifiers and printers of the dialect; MLIR's own take part.
#include "dialect/Xfmr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "test/fuzz/Fuzz.h"
#include "llvm/Support/raw_ostream.h"
#include <cctype>
#include <fstream>
#include <memory>

namespace xfmr::fuzz {
namespace {

/// Texts between lines of "// -----" of the project's own tests.
std::vector<std::string> partsOf(const std::string &path) {
  std::vector<std::string> parts(1);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.rfind("// -----", 0) == 0)
      parts.emplace_back();
    else if (line.rfind("//", 0) != 0)
      parts.back() += line + '\n';
  return parts;
}

struct Token {
  size_t begin, end;
};

std::vector<Token> tokensOf(const std::string &text) {
  std::vector<Token> tokens;
  const auto isWord = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$';
  };
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (std::isspace(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\';
      at = std::min(text.size(), at + 1);
    } else {
      at += std::string_view("%@#!^-").find(text[at]) != std::string_view::npos;
      if (at == begin && !isWord(text[at]))
        ++at;
      else
        while (at < text.size() && isWord(text[at]))
          ++at;
    }
    tokens.push_back({begin, at});
  }
  return tokens;
}

std::unique_ptr<mlir::MLIRContext> newContext() {
  auto context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  context->loadDialect<XfmrDialect>();
  return context;
}

} // namespace

std::vector<std::string> seeds() {
  static const std::vector<std::string> right = [] {
    std::vector<std::string> all;
    std::unique_ptr<mlir::MLIRContext> context = newContext();
    mlir::ScopedDiagnosticHandler quiet(context.get(), [](mlir::Diagnostic &) { return mlir::success(); });
    for (const char *name : {"compute", "kernels", "quantised", "structure", "weights", "weights-canonicalize",
                             "compute-invalid", "weights-invalid"})
      for (const std::string &part : partsOf(std::string(XFMR_FUZZ_DIALECT) + "/" + name + ".mlir"))
        if (part.size() < 20000 && mlir::parseSourceString<mlir::ModuleOp>(part, mlir::ParserConfig(context.get())))
          all.push_back(part);
    return all;
  }();
  return right;
}

std::string mutated(std::string data, Random &random) {
  static const Words pieces =
      wordsOf("0 1 -1 9223372036854775807 18446744073709551616 4294967295 0x7fffffffffffffff 1.0e400 -0.0 ? x "
              "tensor<2x?xf32> tensor<0xf32> tensor<*xf32> tensor<9223372036854775807x2xf32> memref<4xf32> "
              "vector<4xf32> !xfmr.q<int4,group=32> f32 f16 bf16 i32 i1 index none unit true () {} [] <> : , = -> "
              "\"\" \"x\" array<i64:1,2> dense<0.0>:tensor<2xf32> loc(\"a\")");
  const std::vector<Token> tokens = tokensOf(data);
  if (tokens.empty() || random.oneIn(32))
    return mutatedBytes(std::move(data), random);
  const Token token = tokens[random.below(tokens.size())], other = tokens[random.below(tokens.size())];
  const std::string text = data.substr(token.begin, token.end - token.begin),
                    another = data.substr(other.begin, other.end - other.begin);
  switch (random.below(6)) {
  case 0: return data.erase(token.begin, token.end - token.begin);
  case 1: return data.insert(token.begin, another + " ");
  case 2: return data.replace(token.begin, token.end - token.begin, another);
  case 3: // of a kind: a value for a value, a number for a number
    for (int tries = 0; tries < 16; ++tries) {
      const Token like = tokens[random.below(tokens.size())];
      if ((std::isdigit(static_cast<unsigned char>(data[like.begin])) != 0) ==
              (std::isdigit(static_cast<unsigned char>(text[0])) != 0) &&
          (data[like.begin] == text[0] || std::isdigit(static_cast<unsigned char>(text[0]))))
        return data.replace(token.begin, token.end - token.begin, data.substr(like.begin, like.end - like.begin));
    }
    [[fallthrough]];
  case 4:
    if (std::isdigit(static_cast<unsigned char>(text[0])))
      return data.replace(token.begin, token.end - token.begin,
                          std::to_string(random.oneIn(2) ? random.below(70) : edge(random)));
    [[fallthrough]];
  default: return data.replace(token.begin, token.end - token.begin, pieces[random.below(pieces.size())]);
  }
}

std::string readOnce(const std::string &data) {
  static std::unique_ptr<mlir::MLIRContext> context;
  static uint64_t runs = 0;
  if (runs++ % 2048 == 0)
    context = newContext();
  std::string message;
  mlir::ScopedDiagnosticHandler collect(context.get(), [&](mlir::Diagnostic &diagnostic) {
    if (message.empty())
      message = kPath + diagnostic.str();
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(data, mlir::ParserConfig(context.get()));
  if (!module)
    return message.empty() ? "refused without a word" : message;
  std::string printed;
  llvm::raw_string_ostream stream(printed);
  module->print(stream);
  if (!mlir::parseSourceString<mlir::ModuleOp>(printed, mlir::ParserConfig(context.get())))
    return "what was printed cannot be read: " + message.substr(sizeof kPath - 1);
  return {};
}

} // namespace xfmr::fuzz
