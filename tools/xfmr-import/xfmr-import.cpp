// xfmr-import: a checkpoint or a configuration becomes IR that a person can read.
#include "dialect/Xfmr.h"
#include "import/Encoder.h"
#include "runtime/artifact/AtomicFile.h"
#include "tools/CommandLine.h"
#include "tools/model/Diagnostics.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/MLIRContext.h"
#include <filesystem>

using namespace xfmr;

static int fail(const std::string &message) {
  llvm::errs() << "xfmr-import: error: " << message << "\n";
  return 1;
}

static bool endsWith(const std::string &text, llvm::StringRef end) {
  return llvm::StringRef(text).ends_with(end);
}

int main(int argc, char **argv) {
  CLI::App app("Reads a model (a Hugging Face folder, a config.json, .gguf, .mlir or .mlirbc) and writes it "
               "in the xfmr dialect.");
  std::string model, output;
  ImportOptions options;
  bool pairs = false;
  app.add_option("MODEL", model, "folder, config.json, .gguf, .mlir or .mlirbc")->required();
  app.add_option("--adapter", options.adapter, "folder of a low-rank adapter (PEFT)");
  app.add_option("--rope-length", options.ropeLength,
                 "fix length-dependent rotary frequencies for this many positions")
      ->check(between(1, 1 << 24));
  app.add_flag("--pairs", pairs,
               "of an encoder with embeddings of segments (BERT): those of a second text too; ids of it are vocab_size higher");
  app.add_option("-o", output, "FILE.mlir (text) or FILE.mlirbc (bytecode); default: text to stdout");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-import"))
    return *status;
  if (!output.empty() && !endsWith(output, ".mlir") && !endsWith(output, ".mlirbc")) {
    llvm::errs() << "xfmr-import: error: output \"" << output
                 << "\" must end in .mlir or .mlirbc\n";
    return 2;
  }

  mlir::MLIRContext context;
  printDiagnostics(context, "xfmr-import");
  Status status = Status::success();
  mlir::OwningOpRef<mlir::ModuleOp> module = importModel(context, model, options, status);
  if (status.ok() && pairs)
    status = readPairs(*module);
  if (status.failed())
    return fail(status.message());

  if (output.empty()) {
    module->print(llvm::outs());
    llvm::outs() << "\n";
    return 0;
  }
  moveSources(*module, sourceFolder(model), std::filesystem::path(output).parent_path().string());
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  if (endsWith(output, ".mlirbc")) {
    if (mlir::failed(mlir::writeBytecodeToFile(*module, stream)))
      return fail("cannot write \"" + output + "\" as bytecode");
  } else {
    module->print(stream);
    stream << "\n";
  }
  status = writeAtomically(output, bytes);
  return status.ok() ? 0 : fail(status.message());
}
