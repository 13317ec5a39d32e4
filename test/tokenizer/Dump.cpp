// tokenizer-dump FOLDER: reads NUL-terminated records from standard input and writes the ids of
// each as one JSON array a line, special tokens off. The C++ side of the comparison with npm.
#include "runtime/tokenizer/Tokenizer.h"

#include <fstream>
#include <iostream>
#include <iterator>

static std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: tokenizer-dump FOLDER < records\n";
    return 1;
  }
  std::string folder = argv[1], error;
  xfmr::tokenizer::Tokenizer tokenizer;
  if (!xfmr::tokenizer::Tokenizer::load(readFile(folder + "/tokenizer.json"),
                                        readFile(folder + "/tokenizer_config.json"), tokenizer,
                                        error)) {
    std::cerr << error << "\n";
    return 1;
  }
  std::ios::sync_with_stdio(false);
  std::string record;
  std::vector<int32_t> ids;
  while (std::getline(std::cin, record, '\0')) {
    if (!tokenizer.encode(record, /*addSpecialTokens=*/false, ids, error)) {
      std::cerr << error << "\n";
      return 1;
    }
    std::cout << '[';
    for (size_t i = 0; i < ids.size(); ++i)
      std::cout << (i > 0 ? "," : "") << ids[i];
    std::cout << "]\n";
  }
  return 0;
}
