// The command line of xfmr-run as plain data.
#pragma once
#include "runtime/xfmr.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xfmr::run {

enum class Mode { generate, tokenize, moeTokens, perplexity, teacher, bench, explain, chat, devices, selfTest, tune, embed };

struct Options {
  Mode mode = Mode::generate;
  std::string artifact;
  std::string device = "auto";
  bool verbose = false, json = false;
  std::optional<uint32_t> threads;

  std::vector<std::string> prompts;               // "-": standard input
  std::vector<std::string> pairs;                 // second texts of --embed and --tokenize, one a prompt, or none
  std::optional<std::vector<int64_t>> promptIds;  // as typed; checked against the vocabulary later
  std::optional<std::vector<int64_t>> decoderIds; // what the decoder behind an encoder begins with; absent: its start token
  std::optional<uint32_t> count;
  xfmr_sampling_options sampling = {};            // its seed is drawn where none was given
  std::vector<std::string> stops;                 // texts that end a continuation and are not printed
  bool chat = false;                              // prompts are turns of the checkpoint's chat template
  std::string system;                             // what the template's system message says; empty: none
  bool ids = false;
  std::string logitsPath;
  std::string probePath;
  std::string moeStatsPath;

  std::string pooling;                            // of --embed; empty: as the checkpoint says
  bool normalize = false;
  std::string embeddingsPath, hiddenPath;

  std::vector<std::string> perplexityPaths;
  uint32_t window = 256;

  std::string teacherPath;                        // folder of shards; sampling.top_k is how many tokens a position
  std::vector<std::string> teacherTexts;
  uint32_t shardWindows = 64;

  std::optional<uint32_t> pp, tg;                 // absent: as much as fits, at most 512 and 128
  uint32_t depth = 0;
  std::optional<uint32_t> repeat;                 // absent: 5 of --bench, 3 of --explain

  bool profile = false;
  std::string tracePath;
};

/// Ids generated without -n.
constexpr uint32_t kDefaultCount = 128;

/// Returns true to go on; otherwise the process ends with `exitCode` (0 after --help, 2 on wrong usage,
/// which has been reported).
bool parseOptions(int argc, char **argv, Options &options, int &exitCode);

} // namespace xfmr::run
