// See Arguments.h.
#include "tools/xfmr-opt/Arguments.h"
#include "passes/PassHelp.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace xfmr {

// Fewest changed letters; none where nothing is near.
template <typename Names> static std::string nearest(StringRef word, const Names &names) {
  std::string best;
  unsigned least = 1 + static_cast<unsigned>(word.size()) / 3;
  for (StringRef each : names)
    if (unsigned far = word.edit_distance(each); far <= least)
      least = far, best = each.str();
  return best;
}

static int printPage(StringRef flag, StringRef tool) {
  if (const std::string page = passHelp(flag); !page.empty()) {
    outs() << page;
    return 0;
  }
  const std::string near = nearest(flag, documentedPasses());
  errs() << tool << ": error: --help-pass is '" << flag << "', expected the name of a pass"
         << (near.empty() ? ": " + llvm::join(documentedPasses(), ", ") : "; did you mean " + near + "?") << "\n";
  return 2;
}

std::optional<int> checkArguments(int argc, char **argv, StringRef tool) {
  const auto &known = cl::getRegisteredOptions();
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--")
      break;
    if (!argument.consume_front("-") || argument.empty())
      continue;
    argument.consume_front("-");
    auto [name, value] = argument.split('=');
    if (name == "help-pass")
      return printPage(value.empty() && !argument.contains('=') && i + 1 < argc ? StringRef(argv[i + 1]) : value, tool);
    if (name == "o") { // registered only when the parser runs
      i += !argument.contains('=');
      continue;
    }
    auto option = known.find(name);
    if (option != known.end()) { // its value may be the next argument; those of passes stand behind '='
      if (!argument.contains('=') && option->second->ArgStr == name &&
          option->second->getValueExpectedFlag() == cl::ValueRequired)
        ++i;
      continue;
    }
    const auto prefix = llvm::any_of(known, [&](const auto &each) { // -ofile
      return each.second->getFormattingFlag() != cl::NormalFormatting && argument.starts_with(each.first);
    });
    if (prefix)
      continue;
    errs() << tool << ": error: unknown option --" << name;
    if (const size_t brace = name.find('{'); brace != StringRef::npos && known.count(name.take_front(brace))) {
      StringRef options = argument.drop_front(brace + 1);
      options.consume_back("}");
      errs() << "; on a command line it is --" << name.take_front(brace) << "=\"" << options << "\"\n";
    } else {
      SmallVector<StringRef> names;
      for (const auto &each : known)
        names.push_back(each.first);
      const std::string near = nearest(name, names);
      errs() << (near.empty() ? "; --help lists those there are" : "; did you mean --" + near + "?") << "\n";
    }
    return 2;
  }
  return std::nullopt;
}

} // namespace xfmr
