// xfmr-export: a model, as it is after passes, in a format that other tools load.
#include "tools/CommandLine.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-export/Prepare.h"
#include <iostream>

using namespace xfmr;
using namespace xfmr::exports;

static int fail(const std::string &message, int status) {
  std::cerr << "xfmr-export: error: " << message << "\n";
  return status;
}

// The word of an option's value.
static std::string_view typeName(const std::vector<std::pair<std::string, ElementType>> &types, ElementType type) {
  for (const auto &[name, value] : types)
    if (value == type)
      return name;
  return {};
}

int main(int argc, char **argv) {
  CLI::App app("Writes a model as a Hugging Face folder or a GGUF file; adapters are folded.");
  std::string model, format, passes, adapter;
  std::vector<std::string> sources;
  ExportOptions options;
  app.add_option("MODEL", model, "folder, .gguf, .mlir or .mlirbc")->required();
  app.add_option("--format", format, "hf: a folder; gguf: a file")->required()->check(oneOf({"hf", "gguf"}));
  const std::vector<std::pair<std::string, ElementType>> types = {
      {"f32", ElementType::f32},   {"f16", ElementType::f16},   {"bf16", ElementType::bf16},
      {"q8_0", ElementType::q8_0}, {"q4_0", ElementType::q4_0}, {"q4_k", ElementType::q4_k},
      {"q6_k", ElementType::q6_k}};
  app.add_option("--type", options.type,
                 "element type of the matrices (default: as they are; q8_0, q4_0, q4_k and q6_k for gguf only)")
      ->transform(wordFor(types));
  addPassOptions(app, passes, ", run before the export");
  app.add_option("--adapter", adapter, "folder of a low-rank adapter (PEFT) to fold in");
  app.add_option("--source", sources, "NAME=PATH: where a weight source lies");
  app.add_option("-o,--output", options.output, "the folder or file to write")->required();
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-export"))
    return *status;
  if (format == "hf" && isQuantised(options.type))
    return fail(
        "--type=" + std::string(typeName(types, options.type)) + " is a type of gguf; hf holds f32, f16 or bf16", 2);
  if (Status status = checkUserPasses(passes); status.failed())
    return fail(status.message(), 2);
  Prepared prepared;
  if (Status status = prepare(model, passes, adapter, sources, options.output, prepared); status.failed())
    return fail(status.message(), 1);
  options.baseFolder = prepared.baseFolder;
  std::vector<std::string> notes;
  const Status status = format == "hf" ? exportHuggingFace(prepared.model, prepared.sources, options, notes)
                                       : exportGguf(prepared.model, prepared.sources, options, notes);
  if (status.failed())
    return fail(status.message(), 1);
  for (const std::string &note : notes)
    std::cerr << "xfmr-export: note: " << note << "\n";
  return 0;
}
