// How a tool reads its command line: help ends it with status 0, wrong usage with one line on stderr and status 2.
#pragma once

#include <CLI/CLI.hpp>
#include <cctype>
#include <iostream>
#include <optional>
#include <string>

namespace xfmr {

/// What was wrong, in lower case like every error; "MODEL is required" keeps its name.
inline std::string usageMessage(const CLI::ParseError &error) {
  std::string message = error.what();
  if (message.size() > 1 && std::islower(static_cast<unsigned char>(message[1])))
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return message;
}

/// Parses into what `app` names. The exit status, where `tool` has to end here.
inline std::optional<int> parseCommandLine(CLI::App &app, int argc, char **argv, const char *tool) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    std::cerr << tool << ": error: " << usageMessage(error) << "\n";
    return 2;
  }
}

} // namespace xfmr
