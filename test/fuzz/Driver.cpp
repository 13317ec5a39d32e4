// Runs a target: right files must be taken; changed ones are taken or refused with a message that names the file, and nothing else
// happens (the sanitizers see to that). The same seed gives the same files, so a finding is reproduced by its number:
//
//   TARGET [--runs N] [--seed S] [--seconds T] [FILE|FOLDER...]   files are read as they are before all else, then changed too
//
// Built with XFMR_LIBFUZZER it is a libFuzzer target whose mutator is the target's own, half of the time.
#include "test/fuzz/Fuzz.h"
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace xfmr::fuzz;
namespace fs = std::filesystem;

/// Reads the bytes from a file; a refusal that does not name the file is a finding.
static std::string checked(const std::string &data) {
  File file(data);
  std::string message = readOnce(data, file.path());
  if (!message.empty() && message.find(file.path()) == message.npos) {
    std::fprintf(stderr, "a refusal without the file's name: %s\n", message.c_str());
    std::abort();
  }
  return message;
}

#ifdef XFMR_LIBFUZZER

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  checked(std::string(reinterpret_cast<const char *>(data), size));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  Random random(seed);
  if (random.oneIn(2))
    return LLVMFuzzerMutate(data, size, most);
  std::string before(reinterpret_cast<const char *>(data), size);
  if (random.oneIn(64)) { // from a right file again
    const std::vector<std::string> right = seeds();
    before = right[random.below(right.size())];
  }
  const std::string changed = mutated(std::move(before), random).substr(0, most);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}

#else

namespace {

/// What was refused, without numbers and names: how many kinds of refusals were met.
std::string kindOf(const std::string &message) {
  std::string kind;
  bool quoted = false;
  for (char c : message) {
    quoted ^= c == '"';
    if (!quoted && !std::isdigit(static_cast<unsigned char>(c)))
      kind += c;
  }
  return kind.substr(0, 80);
}

std::string bytesOf(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The files given, those of folders in the order of their names.
std::vector<std::string> readAll(const std::vector<std::string> &paths) {
  std::vector<std::string> all;
  for (const std::string &path : paths) {
    std::vector<fs::path> files = {path};
    if (fs::is_directory(path)) {
      files.assign(fs::directory_iterator(path), {});
      std::sort(files.begin(), files.end());
    }
    for (const fs::path &file : files)
      all.push_back(bytesOf(file));
  }
  return all;
}

} // namespace

int main(int argc, char **argv) {
  uint64_t runs = ~uint64_t(0), seed = 1, seconds = 10;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const auto number = [&](const char *option, uint64_t &out) {
      if (std::strcmp(argv[i], option) != 0 || i + 1 == argc)
        return false;
      out = std::strtoull(argv[++i], nullptr, 10);
      return true;
    };
    if (!number("--runs", runs) && !number("--seed", seed) && !number("--seconds", seconds))
      paths.push_back(argv[i]);
  }
  std::vector<std::string> files = readAll(paths);
  const size_t given = files.size();
  std::set<std::string> kinds;
  for (const std::string &data : files)
    kinds.insert(kindOf(checked(data)));
  for (const std::string &data : seeds()) {
    if (std::string message = checked(data); !message.empty()) {
      std::fprintf(stderr, "a right file is refused: %s\n", message.c_str());
      return 1;
    }
    files.push_back(data);
  }
  const size_t right = files.size() - given;
  uint64_t taken = 0, done = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (; done < runs && std::chrono::steady_clock::now() - begin < std::chrono::seconds(seconds); ++done) {
    Random random(seed * 1000003 + done);
    std::string data = random.oneIn(2) ? files[given + random.below(right)] : files[random.below(files.size())];
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      data = mutated(std::move(data), random);
    const std::string message = checked(data);
    taken += message.empty();
    kinds.insert(kindOf(message));
  }
  std::printf("ok %zu files, %llu runs, %llu taken, %zu kinds of refusal\n", given,
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(taken), kinds.size());
  return 0;
}

#endif
