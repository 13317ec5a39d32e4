// Pages that mlir-tblgen writes (-gen-pass-doc), cut out of the text that is compiled in; see PassHelp.h.
#include "passes/PassHelp.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace xfmr {

static constexpr StringLiteral kPages =
#include "passes/PassPages.inc"
    ;
static constexpr StringLiteral kHeading = "### `-";

/// "damping=0.01" for "damping=1.000000e-02"; other values as they are.
static std::string shortened(StringRef option) {
  auto [name, value] = option.split('=');
  double number = 0;
  if (!value.contains('e') || value.getAsDouble(number))
    return option.str();
  std::string text;
  llvm::raw_string_ostream(text) << name << '=' << llvm::format("%g", number);
  return text;
}

/// "{width=0 …}", from the pass itself without options that are empty; "" where it cannot be made by its flag or has none.
static std::string defaultsOf(StringRef flag) {
  std::unique_ptr<Pass> pass = createPassOf(flag);
  if (!pass)
    return "";
  std::string text;
  llvm::raw_string_ostream stream(text);
  pass->printAsTextualPipeline(stream);
  StringRef options = StringRef(text).drop_front(std::min(text.size(), flag.size()));
  if (!options.consume_front("{") || !options.consume_back("}"))
    return "";
  SmallVector<StringRef> parts;
  options.split(parts, ' ', -1, /*KeepEmpty=*/false);
  std::vector<std::string> given;
  for (StringRef part : parts)
    if (!part.ends_with("="))
      given.push_back(shortened(part));
  return "{" + llvm::join(given, " ") + "}";
}

/// What stands below the heading of a pass.
static StringRef pageOf(StringRef flag) {
  const std::string heading = (kHeading + flag + "`").str();
  const size_t begin = kPages.find(heading);
  if (flag.empty() || begin == StringRef::npos)
    return "";
  const StringRef page = kPages.substr(begin + heading.size());
  return page.substr(0, std::min(page.find(kHeading), page.find("<!--"))).trim(); // the next page, or what generated them
}

/// Calls visit(name, description) for each option.
static void forEachOption(StringRef flag, function_ref<void(StringRef, StringRef)> visit) {
  StringRef rest = pageOf(flag).split("#### Options\n\n```\n").second.split("\n```").first;
  while (!rest.empty()) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.consume_front("-"))
      visit(line.take_until([](char c) { return c == ' '; }), line.split(" : ").second);
  }
}

std::vector<std::string> passOptions(StringRef flag) {
  std::vector<std::string> names;
  forEachOption(flag, [&](StringRef name, StringRef) { names.push_back(name.str()); });
  return names;
}

std::string passOption(StringRef flag, StringRef option) {
  std::string found;
  forEachOption(flag, [&](StringRef name, StringRef description) {
    if (name == option)
      found = description.str();
  });
  return found;
}

std::string passHelp(StringRef flag) {
  StringRef page = pageOf(flag);
  if (page.empty())
    return "";
  page.consume_front("_"); // the summary stands in italics
  auto [summary, rest] = page.split("_\n");
  std::string text = (flag + ": " + summary + "\n\n" + rest.trim() + "\n").str();
  for (auto [mark, plain] : {std::pair<StringRef, StringRef>("#### Options\n\n```", "Options:"), {"#### Statistics\n\n```", "Statistics:"}})
    if (size_t at = text.find(mark.str()); at != text.npos) {
      text.replace(at, mark.size(), plain.str());
      if (size_t end = text.find("\n```", at); end != text.npos)
        text.erase(end, 4);
    }
  if (const std::string defaults = defaultsOf(flag); !defaults.empty())
    text += "\nDefaults: " + defaults + "\n";
  return text;
}

std::vector<std::string> documentedPasses() {
  std::vector<std::string> flags;
  SmallVector<StringRef> parts;
  kPages.split(parts, kHeading);
  for (StringRef part : ArrayRef(parts).drop_front())
    flags.push_back(part.take_until([](char c) { return c == '`'; }).str());
  llvm::sort(flags);
  return flags;
}

} // namespace xfmr
