// How a tool reads its command line: help ends it with status 0, wrong usage with one line on stderr and status 2.
#pragma once

#include <CLI/CLI.hpp>
#include <cctype>
#include <iostream>
#include <optional>
#include <string>

namespace xfmr {

/// Parses into what `app` names. The exit status, where `tool` has to end here.
inline std::optional<int> parseCommandLine(CLI::App &app, int argc, char **argv, const char *tool) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    std::string message = error.what();
    message[0] = static_cast<char>(std::tolower(message[0]));
    std::cerr << tool << ": error: " << message << "\n";
    return 2;
  }
}

} // namespace xfmr
