// How a tool reads its command line: help ends it with status 0, wrong usage with one line on stderr and status 2. The line says
// what was found, what is expected, and the nearest right form where there is one.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace xfmr {

/// What was wrong, in lower case like every error; names of options and positionals keep theirs.
std::string usageMessage(const CLI::App &app, const CLI::ParseError &error);

/// Parses into what `app` names. The exit status, where `tool` has to end here.
std::optional<int> parseCommandLine(CLI::App &app, int argc, char **argv, const char *tool);

/// The known word that is meant by a mistyped one, by the least number of changed letters; empty if none is near.
std::string nearestWord(const std::string &word, const std::vector<std::string> &known);
/// "; did you mean --seed?", or nothing.
std::string didYouMean(const std::string &word, const std::vector<std::string> &known);

/// One of some words, as a check of an option.
CLI::Validator oneOf(std::vector<std::string> words);
/// A number from `least` to `most`.
CLI::Validator between(double least, double most);
/// A word for a value: `option->transform(wordFor(types))`, whose target is read from the number.
template <typename T> CLI::Validator wordFor(const std::vector<std::pair<std::string, T>> &values) {
  std::vector<std::string> words;
  for (const auto &[word, value] : values)
    words.push_back(word);
  CLI::Validator known = oneOf(words);
  return CLI::Validator(
      [values, known](std::string &text) {
        std::string wrong = known(text);
        for (const auto &[word, value] : values)
          if (wrong.empty() && word == text)
            return text = std::to_string(static_cast<long long>(value)), wrong;
        return wrong;
      },
      "");
}

} // namespace xfmr
