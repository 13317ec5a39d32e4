// Writes the toy artifact for tests that run tools from the command line:
//   make_toy OUT.xfm [TOKENIZER.json]
#include "test/artifact/toy/ToyModel.h"
#include <cstdio>
#include <fstream>
#include <iterator>

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3)
    return std::fprintf(stderr, "usage: make_toy OUT.xfm [TOKENIZER.json]\n"), 2;
  xfmr::toy::Contents contents;
  if (argc == 3) {
    std::ifstream in(argv[2], std::ios::binary);
    contents.tensors["tokenizer.json"].assign(std::istreambuf_iterator<char>(in), {});
  }
  xfmr::Status status = xfmr::toy::write(argv[1], contents);
  if (status.failed())
    return std::fprintf(stderr, "%s\n", status.message().c_str()), 1;
}
