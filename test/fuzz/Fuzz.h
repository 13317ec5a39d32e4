// One reader of files under test: how to read bytes as such a file, what right ones look like, and how to change them so that
// most are wrong in one place only. Driver.cpp runs it alone, or as a libFuzzer target where that is built (XFMR_LIBFUZZER).
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace xfmr::fuzz {

/// A small generator whose numbers are the same everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint64_t next();
  /// In [0, end).
  uint64_t below(uint64_t end) { return end == 0 ? 0 : next() % end; }
  bool oneIn(uint64_t n) { return below(n) == 0; }

private:
  uint64_t state_;
};

// ---- What a target defines --------------------------------------------------------------------------------------------------
/// Reads the bytes; returns the message of the refusal, or nothing where they were taken. A refusal must name `name`.
std::string readOnce(const std::string &data, const std::string &path);
/// Files that are right, made by writers of the project.
std::vector<std::string> seeds();
/// The same with something changed.
std::string mutated(std::string data, Random &random);

// ---- What targets change with -----------------------------------------------------------------------------------------------
/// Bytes flipped, cut, doubled, overwritten with numbers at the edges of their types.
std::string mutatedBytes(std::string data, Random &random);
/// JSON text with one value, key or member changed; text that is no JSON has its bytes changed.
std::string mutatedJson(const std::string &text, Random &random);
/// A number at an edge: 0, 1, a power of two or a neighbour, -1, the largest.
uint64_t edge(Random &random);

/// A regular file of these bytes that has a path and goes with the process.
class File {
public:
  explicit File(const std::string &data);
  ~File();
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  const std::string &path() const { return path_; }

private:
  int descriptor_ = -1;
  std::string path_;
};

} // namespace xfmr::fuzz
