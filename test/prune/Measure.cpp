// prune-measure MODEL TEXT[,TEXT] FOLDER [--swap] PIPELINE...: the KL that each pruning pipeline costs, one line each, by
// the protocol of docs/Pruning.md. `scripts/prune-table` drives it.
#include "test/prune/Protocol.h"

#include <cstdio>
#include <iostream>
#include <sstream>

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  bool swapped = false;
  if (arguments.size() > 3 && arguments[3] == "--swap") {
    swapped = true;
    arguments.erase(arguments.begin() + 3);
  }
  if (arguments.size() < 4) {
    std::cerr << "prune-measure: error: expected MODEL TEXT[,TEXT] FOLDER [--swap] PIPELINE...\n";
    return 2;
  }
  std::vector<std::string> texts;
  std::istringstream list(arguments[1]);
  for (std::string text; std::getline(list, text, ',');)
    texts.push_back(text);
  std::unique_ptr<xfmr::prune::Protocol> protocol;
  if (xfmr::Status status = xfmr::prune::Protocol::open(arguments[0], texts, arguments[2], swapped, protocol);
      status.failed()) {
    std::cerr << "prune-measure: error: " << status.message() << "\n";
    return 1;
  }
  bool failed = false;
  for (size_t i = 3; i < arguments.size(); ++i) {
    const std::optional<double> kl = protocol->measure(arguments[i]);
    failed |= !kl;
    std::printf("%.5f\t%s\n", kl.value_or(-1.0), arguments[i].c_str());
    std::fflush(stdout);
  }
  return failed;
}
