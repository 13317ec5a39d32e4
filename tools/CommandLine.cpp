// CLI11's errors in our words; see CommandLine.h.
#include "tools/CommandLine.h"
#include "tools/LastWords.h"
#include <algorithm>
#include <cctype>
#include <cmath>
#include <iostream>
#include <numeric>

namespace xfmr {

/// Letters inserted, removed, replaced, or swapped with a neighbour.
static size_t distance(const std::string &a, const std::string &b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::string nearestWord(const std::string &word, const std::vector<std::string> &known) {
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string &each : known) {
    const bool begins = word.size() >= 3 && each.compare(0, word.size(), word) == 0;
    const size_t far = begins ? 1 : distance(word, each);
    if (far < least || (far == least && !best.empty() && each.size() < best.size()))
      least = far, best = each;
  }
  return best;
}

std::string didYouMean(const std::string &word, const std::vector<std::string> &known) {
  const std::string nearest = nearestWord(word, known);
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

static std::string listed(const std::vector<std::string> &words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

CLI::Validator oneOf(std::vector<std::string> words) {
  return CLI::Validator(
      [words](std::string &text) {
        if (std::find(words.begin(), words.end(), text) != words.end())
          return std::string();
        return "is '" + text + "', expected " + listed(words) + didYouMean(text, words);
      },
      "");
}

static std::string shown(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  return text;
}

CLI::Validator between(double least, double most) {
  return CLI::Validator(
      [least, most](std::string &text) {
        double number = 0;
        if (!CLI::detail::lexical_cast(text, number) || std::isnan(number))
          return "is '" + text + "', expected a number";
        if (number >= least && number <= most)
          return std::string();
        return "is " + text + ", expected " + shown(least) + " to " + shown(most);
      },
      "");
}

/// Every way to write the options of `app`.
static std::vector<std::string> optionNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options()) {
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string &name : option->get_snames())
      names.push_back("-" + name);
  }
  return names;
}

static std::string unexpected(const CLI::App &app) {
  const std::vector<std::string> left = app.remaining();
  const std::string first = left.empty() ? "" : left.front(), name = first.substr(0, first.find('='));
  if (first.size() > 1 && first[0] == '-' && !std::isdigit(static_cast<unsigned char>(first[1]))) {
    const std::vector<std::string> names = optionNames(app);
    std::string nearest = nearestWord(name, names);
    if (nearest.empty() && name[1] != '-') // -top-k
      nearest = nearestWord("-" + name, names);
    return "unknown option " + name + (nearest.empty() ? "; --help lists those there are" : "; did you mean " + nearest + "?");
  }
  return "unexpected argument '" + first + "'; a value of several words needs quotes, an option its name";
}

/// The option that an error begins with: "--top-k: 1 required …".
static const CLI::Option *optionOf(const CLI::App &app, const std::string &name) {
  try {
    return app.get_option(name);
  } catch (const CLI::OptionNotFound &) {
    return nullptr;
  }
}

std::string usageMessage(const CLI::App &app, const CLI::ParseError &error) {
  std::string text = error.what();
  auto is = [&](CLI::ExitCodes code) { return error.get_exit_code() == static_cast<int>(code); };
  if (is(CLI::ExitCodes::ExtrasError))
    return unexpected(app);
  const size_t colon = text.find(": ");
  const std::string name = text.substr(0, colon), rest = colon == text.npos ? "" : text.substr(colon + 2);
  const CLI::Option *option = optionOf(app, name);
  if (is(CLI::ExitCodes::ArgumentMismatch) && option)
    return rest.find("At Most") != rest.npos ? name + " is given twice, expected once"
                                             : name + " needs a value: " + option->get_type_name();
  if (is(CLI::ExitCodes::ConversionError) && text.rfind("Could not convert: ", 0) == 0) {
    const size_t equals = rest.find(" = ");
    const CLI::Option *wrong = optionOf(app, rest.substr(0, equals));
    return rest.substr(0, equals) + " is '" + (equals == rest.npos ? "" : rest.substr(equals + 3)) + "', expected " +
           (wrong && wrong->get_type_name() == "UINT" ? "a whole number of at least 0" : "a number");
  }
  if (is(CLI::ExitCodes::ValidationError) && (rest.rfind("is ", 0) == 0))
    return name + " " + rest;
  if (is(CLI::ExitCodes::ExcludesError)) {
    const size_t at = text.find(" excludes ");
    return text.substr(0, at) + " and " + text.substr(at + 10) + " exclude each other";
  }
  if (is(CLI::ExitCodes::RequiresError)) {
    const size_t at = text.find(" requires ");
    return text.substr(0, at) + " needs " + text.substr(at + 10);
  }
  if (is(CLI::ExitCodes::RequiredError)) {
    for (const std::string &left : app.remaining()) // what is missing may be there, mistyped
      if (left.size() > 1 && left[0] == '-' && !didYouMean(left.substr(0, left.find('=')), optionNames(app)).empty())
        return unexpected(app);
    const size_t at = text.find(" is required");
    if (const CLI::Option *missing = optionOf(app, text.substr(0, at)))
      return text + ": " + missing->get_description();
  }
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::optional<int> parseCommandLine(CLI::App &app, int argc, char **argv, const char *tool) {
  installLastWords(tool);
  app.name(tool);
  app.set_version_flag("--version", std::string(tool) + " " XFMR_VERSION, "print the version and stop");
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    std::cerr << tool << ": error: " << usageMessage(app, error) << "\n";
    return 2;
  }
}

} // namespace xfmr
