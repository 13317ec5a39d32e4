// Runs a target: right files must be taken; changed ones are taken or refused with a message that names the file, and nothing else
// happens (the sanitizers and the page behind each file see to that). The same arguments give the same files:
//
//   TARGET [--runs N] [--seed S] [--seconds T] [--findings FOLDER] [--new FOLDER] [FILE|FOLDER...]
//
// Files are read as they are, then changed too. The bytes that end the process, or take more than ten seconds, are left among the
// findings, what is refused in a way of its own among the new ones: a corpus is chosen from them. Built with XFMR_LIBFUZZER it is a libFuzzer target
// whose mutator is the target's own, most of the time.
#include "test/fuzz/Fuzz.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <sys/time.h>
#include <unistd.h>
#include <unordered_set>

using namespace xfmr::fuzz;
namespace fs = std::filesystem;

/// Reads the bytes; a refusal that does not name the file is a finding.
static std::string checked(const std::string &data) {
  std::string message = readOnce(data);
  if (!message.empty() && message.find(kPath) == message.npos) {
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
  static const std::vector<std::string> right = seeds();
  Random random(seed);
  if (random.oneIn(8))
    return LLVMFuzzerMutate(data, size, most);
  std::string changed =
      random.oneIn(64) ? right[random.below(right.size())] : std::string(reinterpret_cast<const char *>(data), size);
  for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
    changed = mutated(std::move(changed), random);
  const size_t length = std::min(changed.size(), most);
  std::memcpy(data, changed.data(), length);
  return length;
}

#else

namespace {

// What a signal handler needs: the bytes being read, how many were, and where findings go.
const std::string *current = nullptr;
std::atomic<uint64_t> done{0};
uint64_t doneBefore = ~uint64_t(0);
char findingPath[4096];

void keepFinding(int signal) {
  if (signal == SIGVTALRM && done != doneBefore) { // going on
    doneBefore = done;
    return;
  }
  const char text[] = "a finding: the process was ended by a file, or took ten seconds for it\n";
  const int file = findingPath[0] ? open(findingPath, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
  if (write(2, text, sizeof text - 1) < 0 ||
      (file >= 0 && current && write(file, current->data(), current->size()) < 0))
    _exit(2);
  std::signal(signal == SIGVTALRM ? SIGABRT : signal, SIG_DFL);
  std::raise(signal == SIGVTALRM ? SIGABRT : signal);
}

void watch() {
  static char stack[1 << 16]; // a stack that overflowed has no room for a handler
  stack_t other = {};
  other.ss_sp = stack;
  other.ss_size = sizeof stack;
  sigaltstack(&other, nullptr);
  struct sigaction action = {};
  action.sa_handler = keepFinding;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  for (int signal : {SIGABRT, SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGSEGV, SIGVTALRM})
    sigaction(signal, &action, nullptr);
  const itimerval tenSeconds = {{10, 0}, {10, 0}}; // of the processor: a busy machine is no finding
  setitimer(ITIMER_VIRTUAL, &tenSeconds, nullptr);
}

/// What was refused, without numbers and names: as a number, to count kinds of refusals.
uint64_t kindOf(const std::string &message) {
  uint64_t hash = 0xcbf29ce484222325;
  bool quoted = false;
  size_t taken = 0;
  for (char c : message) {
    quoted ^= c == '"';
    if (quoted || (c >= '0' && c <= '9'))
      continue;
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    if (++taken == 80)
      break;
  }
  return hash;
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
  std::string findings, fresh;
  for (int i = 1; i < argc; ++i) {
    const auto number = [&](const char *option, uint64_t &out) {
      if (std::strcmp(argv[i], option) != 0 || i + 1 == argc)
        return false;
      out = std::strtoull(argv[++i], nullptr, 10);
      return true;
    };
    if (std::strcmp(argv[i], "--findings") == 0 && i + 1 < argc)
      findings = argv[++i];
    else if (std::strcmp(argv[i], "--new") == 0 && i + 1 < argc)
      fresh = argv[++i];
    else if (!number("--runs", runs) && !number("--seed", seed) && !number("--seconds", seconds))
      paths.push_back(argv[i]);
  }
  if (!findings.empty())
    std::snprintf(findingPath, sizeof findingPath, "%s/%s-%llu", findings.c_str(), fs::path(argv[0]).filename().c_str(),
                  static_cast<unsigned long long>(seed));
  watch();
  mallopt(M_TRIM_THRESHOLD, 256 << 20); // memory stays with the process: a page fault costs more than most runs
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  std::vector<std::string> files = readAll(paths);
  const size_t given = files.size();
  std::unordered_set<uint64_t> kinds;
  for (const std::string &data : files) {
    current = &data;
    kinds.insert(kindOf(checked(data)));
    ++done;
  }
  for (const std::string &data : seeds()) {
    current = &data;
    if (std::string message = checked(data); !message.empty()) {
      std::fprintf(stderr, "a right file is refused: %s\n", message.c_str());
      return 1;
    }
    files.push_back(data);
  }
  const size_t right = files.size() - given;
  uint64_t taken = 0, run = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto isTime = [&] { return std::chrono::steady_clock::now() - begin < std::chrono::seconds(seconds); };
  for (; run < runs && (run % 64 != 0 || isTime()); ++run, ++done) {
    Random random(seed * 0x100000001b3 + run);
    std::string data = random.oneIn(2) ? files[given + random.below(right)] : files[random.below(files.size())];
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      data = mutated(std::move(data), random);
    current = &data;
    const std::string message = checked(data);
    taken += message.empty();
    constexpr size_t kMostFiles = 2000, kMostBytes = 1 << 15;
    const uint64_t kind = kindOf(message);
    if (kinds.insert(kind).second && files.size() < kMostFiles && data.size() <= kMostBytes) {
      files.push_back(data); // refused in a way of its own: changes of it lead further
      if (!fresh.empty()) {
        char name[16];
        std::snprintf(name, sizeof name, "%012llx", static_cast<unsigned long long>(kind >> 16));
        std::ofstream(fresh + "/" + name, std::ios::binary) << data;
      }
    }
    current = nullptr;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("ok %zu files, %llu runs, %llu taken, %zu kinds of refusal, %.0f a second\n", given,
              static_cast<unsigned long long>(run), static_cast<unsigned long long>(taken), kinds.size(),
              static_cast<double>(run) / took);
  return 0;
}

#endif
