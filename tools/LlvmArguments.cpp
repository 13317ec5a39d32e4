// See LlvmArguments.h.
#include "tools/LlvmArguments.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/PassHelp.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/MappedFile.h"
#include "tools/CommandLine.h"
#include "tools/model/StandardError.h"
#include "tools/model/UserPasses.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include <filesystem>

using namespace llvm;

namespace xfmr {
namespace {

/// Walks over the arguments; says what is wrong with the first that is.
class Check {
public:
  explicit Check(const ArgumentRules &rules) : rules(rules), known(cl::getRegisteredOptions()) {}

  std::optional<int> run(ArrayRef<StringRef> arguments) {
    const bool plugins =
        any_of(arguments, [](StringRef each) { return each.contains("-load-"); }); // names of their own
    for (size_t i = 0; i < arguments.size(); ++i) {
      StringRef argument = arguments[i];
      if (!argument.starts_with("-") || argument == "-") {
        if (++files > rules.mostFiles)
          return refuse("unexpected argument '" + argument.str() + "'" +
                        (rules.mostFiles ? ": one file is read" : ": it reads standard input"));
        continue;
      }
      if (argument == "--")
        break;
      const StringRef dashes = argument.take_while([](char c) { return c == '-'; });
      argument = argument.drop_front(dashes.size());
      auto [name, value] = argument.split('=');
      const bool hasValue = argument.contains('=');
      const StringRef next = i + 1 < arguments.size() ? arguments[i + 1] : StringRef();
      if (name == "help-pass")
        return page(hasValue ? value : next);
      if (std::string fault = plugins ? "" : passFault(name, value); !fault.empty())
        return refuse(fault);
      const std::optional<StringRef> wanted = valueOf(name);
      if (!wanted && !isPrefixed(argument))
        return refuse(unknown(name, argument));
      if (hasValue && wanted && wanted->contains('|')) {
        SmallVector<StringRef> words;
        wanted->split(words, '|');
        if (!is_contained(words, value))
          return refuse((dashes + name + " is '" + value + "', expected " + join(words, ", ")).str());
      }
      if (hasValue || !wanted || wanted->empty()) // those of passes stand behind '='
        continue;
      if (next.empty())
        return refuse((dashes + name).str() + " needs a value: " + wanted->str());
      ++i;
    }
    return std::nullopt;
  }

private:
  int refuse(const std::string &what) const {
    errs() << rules.tool << ": error: " << what << "\n";
    return 2;
  }

  /// What an option takes: nothing for a flag; none where there is no such option.
  std::optional<StringRef> valueOf(StringRef name) const {
    for (const LaterOption &each : rules.later)
      if (each.name == name)
        return each.value;
    auto option = known.find(name);
    if (option == known.end())
      return std::nullopt;
    if (option->second->ArgStr != name || option->second->getValueExpectedFlag() != cl::ValueRequired)
      return StringRef();
    return option->second->ValueStr.empty() ? "VALUE" : option->second->ValueStr;
  }

  std::optional<int> page(StringRef flag) const {
    if (const std::string text = passHelp(flag); !text.empty()) {
      outs() << text;
      return 0;
    }
    return refuse("--help-pass " + noSuchPass(flag.str()));
  }

  bool isPrefixed(StringRef argument) const { // -ofile
    return any_of(known, [&](const auto &each) {
      return each.second->getFormattingFlag() != cl::NormalFormatting && argument.starts_with(each.first);
    });
  }

  /// A pass with its options, or --pass-pipeline.
  std::string passFault(StringRef name, StringRef value) const {
    std::string error;
    raw_string_ostream stream(error);
    bool fits = true;
    const bool whole = name == "pass-pipeline" && known.find(name) != known.end();
    const mlir::PassRegistryEntry *entry = mlir::PassPipelineInfo::lookup(name);
    if (!entry)
      entry = mlir::PassInfo::lookup(name);
    if (!whole && (!entry || known.find(name) == known.end()))
      return "";
    const std::string printed = standardErrorOf([&] {
      mlir::OpPassManager scratch(mlir::ModuleOp::getOperationName(), mlir::OpPassManager::Nesting::Implicit);
      fits = whole ? succeeded(mlir::parsePassPipeline(value, stream))
                   : succeeded(entry->addToPipeline(scratch, value, [&](const Twine &message) {
                       stream << message;
                       return mlir::failure();
                     }));
    });
    return fits ? "" : "--" + name.str() + ": " + pipelineMessage(error, whole ? value : name, printed);
  }

  std::string unknown(StringRef name, StringRef argument) const {
    const std::string text = "unknown option --" + name.str();
    if (const size_t brace = name.find('{'); brace != StringRef::npos && known.count(name.take_front(brace))) {
      StringRef options = argument.drop_front(brace + 1);
      options.consume_back("}");
      return text + "; on a command line it is --" + name.take_front(brace).str() + "=\"" + options.str() + "\"";
    }
    std::vector<std::string> names;
    for (const LaterOption &each : rules.later)
      names.push_back(each.name.str());
    for (const auto &each : known)
      if (each.second->getOptionHiddenFlag() == cl::NotHidden)
        names.push_back(each.first.str());
    const std::string near = nearestWord(name.str(), names);
    return text + (near.empty() ? "; --help lists those there are" : "; did you mean --" + near + "?");
  }

  const ArgumentRules &rules;
  const DenseMap<StringRef, cl::Option *> &known;
  int files = 0;
};

} // namespace

std::optional<int> checkArguments(int argc, char **argv, const ArgumentRules &rules) {
  cl::SetVersionPrinter([tool = rules.tool.str()](raw_ostream &out) {
    out << tool << " " XFMR_VERSION ", LLVM " LLVM_VERSION_STRING "\n";
  });
  return Check(rules).run(SmallVector<StringRef>(argv + 1, argv + argc));
}

std::string inputFault(StringRef path) {
  if (path == "-")
    return "";
  std::error_code ignored;
  const std::string quoted = "\"" + path.str() + "\"", expected = ", expected MLIR text or bytecode";
  if (std::filesystem::is_directory(path.str(), ignored))
    return quoted + " is a folder" + expected + "; xfmr-import makes it of a model";
  MappedFile file;
  if (Status status = MappedFile::open(path.str(), file); status.failed())
    return status.message();
  if (!file.size())
    return "";
  const std::string kind = fileKind(file.data(), file.size());
  if (kind.empty() || kind.find("MLIR") != kind.npos || file.data()[1] == '-') // "{-#" begins resources
    return "";
  return quoted + " is " + kind + expected + (kind == "a GGUF file" ? "; xfmr-import makes it of a model" : "");
}

void hideOtherOptions() {
  for (const auto &each : cl::getRegisteredOptions())
    if (each.first != "help" && each.first != "version")
      each.second->setHiddenFlag(cl::ReallyHidden);
}

} // namespace xfmr
