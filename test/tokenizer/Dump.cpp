// tokenizer-dump PLACE: reads NUL-terminated records from standard input and writes the ids of each as one JSON array a line, special
// tokens off. PLACE is what a model's base source is: a folder, or a GGUF file. --whole: special tokens on, and behind the ids
// the text that they give back. --pairs: the ids of each record and the one before it, read as one, and behind them their segments.
// What is compared with npm, and one tokenizer with another.
#include "runtime/tokenizer/Tokenizer.h"
#include "weights/TokenizerFiles.h"

#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

int main(int argc, char **argv) {
  const bool whole = argc == 3 && !std::strcmp(argv[2], "--whole");
  const bool pairs = argc == 3 && !std::strcmp(argv[2], "--pairs");
  if (argc != 2 && !whole && !pairs) {
    std::cerr << "usage: tokenizer-dump PLACE [--whole | --pairs] < records\n";
    return 2;
  }
  xfmr::TokenizerFiles files;
  std::string error;
  if (xfmr::Status status = xfmr::readTokenizerFiles(argv[1], files); status.failed())
    error = status.message();
  else if (files.tokenizer.empty())
    error = files.missing;
  xfmr::tokenizer::Tokenizer tokenizer;
  if (!error.empty() || !xfmr::tokenizer::Tokenizer::load(files.tokenizer, files.config, tokenizer, error)) {
    std::cerr << error << "\n";
    return 1;
  }
  std::ios::sync_with_stdio(false);
  std::string record, before;
  std::vector<int32_t> ids, segments;
  while (std::getline(std::cin, record, '\0')) {
    if (pairs ? !tokenizer.encodePair(before, record, ids, segments, error) : !tokenizer.encode(record, whole, ids, error)) {
      std::cerr << error << "\n";
      return 1;
    }
    std::cout << nlohmann::json(ids).dump();
    if (whole)
      std::cout << nlohmann::json(tokenizer.decode(ids, /*skipSpecial=*/false)).dump();
    if (pairs)
      std::cout << nlohmann::json(segments).dump();
    std::cout << "\n";
    before = record;
  }
  return 0;
}
