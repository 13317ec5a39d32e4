// Writes the toy artifact for tests that run tools from the command line:
//   make_toy OUT.xfm [--target=vulkan|cpu|both] [--moe] [--longest] [TOKENIZER.json]
// --moe adds a mixture of two experts that are never chosen, --longest says that the model was made for no longer context.
#include "test/artifact/toy/ToyModel.h"
#include <cstdio>
#include <fstream>
#include <iterator>

int main(int argc, char **argv) {
  const std::string usage = "usage: make_toy OUT.xfm [--target=vulkan|cpu|both] [--moe] [--longest] [TOKENIZER.json]\n";
  xfmr::toy::Contents contents;
  std::string out, tokenizer;
  bool moe = false, longest = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--target=cpu")
      contents = xfmr::toy::cpuContents();
    else if (argument == "--target=both")
      contents = xfmr::toy::bothContents();
    else if (argument == "--moe")
      moe = true;
    else if (argument == "--longest")
      longest = true;
    else if (argument.rfind("--", 0) == 0 && argument != "--target=vulkan")
      return std::fputs(usage.c_str(), stderr), 2;
    else if (argument[0] != '-')
      (out.empty() ? out : tokenizer) = argument;
  }
  if (out.empty())
    return std::fputs(usage.c_str(), stderr), 2;
  for (auto *program : {&contents.program, &contents.cpuProgram}) {
    if (*program && moe)
      xfmr::toy::addMixture(**program);
    if (*program && longest)
      (*program)->max_position = (*program)->max_context;
  }
  if (!tokenizer.empty()) {
    std::ifstream in(tokenizer, std::ios::binary);
    contents.tensors["tokenizer.json"].assign(std::istreambuf_iterator<char>(in), {});
  }
  xfmr::Status status = xfmr::toy::write(out, contents);
  if (status.failed())
    return std::fprintf(stderr, "%s\n", status.message().c_str()), 1;
}
