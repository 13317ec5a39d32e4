// One reader of files under test: how to read bytes as such a file, what right ones look like, and how to change them so that
// most are wrong in one place only. Driver.cpp runs it alone, or as a libFuzzer target where that is built (XFMR_LIBFUZZER).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
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

/// Words that strings of a kind of file are made of: some changes put one in place of another.
using Words = std::vector<std::string>;
Words wordsOf(std::string_view spaced);

// ---- What a target defines --------------------------------------------------------------------------------------------------
/// Reads the bytes; returns the message of the refusal, or nothing where they were taken. A refusal must name kPath.
std::string readOnce(const std::string &data);
/// Files that are right, made by writers of the project.
std::vector<std::string> seeds();
/// The same with something changed.
std::string mutated(std::string data, Random &random);

/// The path of the file under test, or its beginning: what MappedFile::open of it maps are the bytes of a File.
inline constexpr char kPath[] = "/fuzzed/";

// ---- What targets change with -----------------------------------------------------------------------------------------------
/// Bytes flipped, cut, doubled, overwritten with numbers at the edges of their types.
std::string mutatedBytes(std::string data, Random &random);
/// JSON text with one value, key or member changed; text without one has its bytes changed. What is changed stays JSON, mostly.
std::string mutatedJson(std::string text, Random &random, const Words &words = {});
/// A safetensors file with its header's JSON changed and, mostly, the header's length right.
std::string mutatedSafetensors(std::string data, Random &random, const Words &words = {});
/// One of data. `header` is JSON.
std::string safetensors(std::string_view header, std::string_view data);
/// A number at an edge: 0, 1, a power of two or a neighbour, -1, the largest.
uint64_t edge(Random &random);

/// Several files as one: each but the last behind four bytes of its length. What the lengths say that is not there is cut.
std::string joined(const std::vector<std::string> &files);
std::vector<std::string> parted(const std::string &data, size_t files);

/// The bytes of a file on the disk; none where it cannot be read.
std::string bytesOf(const std::string &path);

/// While it lives, MappedFile::open(path) maps these bytes, without a file (MemoryFile.cpp). Reading one byte behind them is an
/// error of the process: they end where a page without access begins, or, in a build with AddressSanitizer, their allocation.
class File {
public:
  /// `alignment` of the first byte, where a reader may count on that of a mapping.
  File(std::string path, const std::string &data, size_t alignment = 1);
  ~File();
  File(const File &) = delete;
  File &operator=(const File &) = delete;
};

} // namespace xfmr::fuzz
