// Writes the toy artifact for tests that run tools from the command line: make_toy OUT.xfm
#include "test/artifact/toy/ToyModel.h"
#include <cstdio>

int main(int argc, char **argv) {
  if (argc != 2)
    return std::fprintf(stderr, "usage: make_toy OUT.xfm\n"), 2;
  xfmr::toy::writeOrDie(argv[1]);
}
