// Statistics of a calibration, read as the pruning passes read them.
#include "passes/calibration/StatisticsFile.h"
#include "test/fuzz/Fuzz.h"
#include <cstdlib>
#include <unistd.h>

namespace xfmr::fuzz {

static constexpr char kFingerprint[] = "0123456789abcdef";

static std::string written() {
  std::string path = "/tmp/xfmr-statistics-seed-XXXXXX";
  close(mkstemp(path.data()));
  StatisticsFile statistics;
  for (const char *module : {"layers.0.attention", "layers.0.ffn.1"}) {
    UnitStatistics &unit = statistics.at(module);
    unit.add(MatrixF::Constant(4, 4, 0.5f), 2, 2, 1, /*withGram=*/true);
    unit.gatedNorms = 1.5;
  }
  if (statistics.write(path, kFingerprint).failed())
    std::abort();
  std::string data = bytesOf(path);
  unlink(path.c_str());
  return data;
}

std::vector<std::string> seeds() {
  static const std::string seed = written();
  return {seed};
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("layers.0.attention.sum layers.0.attention.squares layers.0.attention.gram layers.0.attention.tokens "
              "layers.0.attention.window_means layers.0.attention.head_norms layers.0.attention.group_norms "
              "layers.0.attention.gated_norms layers.0.ffn.1.gram .sum sum gram F64 F32");
  return mutatedSafetensors(std::move(data), random, words);
}

std::string readOnce(const std::string &data) {
  const std::string path = std::string(kPath) + "statistics.safetensors";
  const File file(path, data);
  StatisticsFile statistics;
  if (Status status = statistics.read(path, kFingerprint); status.failed())
    return status.message();
  double sum = 0;
  for (const char *module : {"layers.0.attention", "layers.0.ffn.1"}) {
    const UnitStatistics *unit = nullptr;
    if (Status status = statistics.find(module, 4, unit); status.failed())
      return status.message();
    sum += unit->sum.sum() + unit->squares.sum() + unit->gram.sum() + unit->variance().sum() + unit->mean().sum();
  }
  volatile double used = sum;
  static_cast<void>(used);
  return {};
}

} // namespace xfmr::fuzz
