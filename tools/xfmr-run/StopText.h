// --stop: text as it comes, up to the first of some texts. What may be the beginning of one is held back until it is known.
#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace xfmr::run {

class StopText {
public:
  explicit StopText(std::vector<std::string> stops) : stops(std::move(stops)) {}

  /// Takes what was decoded; returns what may be printed. found() is true from the call on in which a stop text ended.
  std::string push(const std::string &text) {
    held += text;
    size_t first = held.npos, keep = 0;
    for (const std::string &stop : stops) {
      first = std::min(first, held.find(stop));
      for (size_t length = std::min(stop.size() - 1, held.size()); length > keep; --length)
        if (held.compare(held.size() - length, length, stop, 0, length) == 0)
          keep = length;
    }
    isFound = first != held.npos;
    std::string ready = held.substr(0, isFound ? first : held.size() - keep);
    held = isFound ? "" : held.substr(held.size() - keep);
    return ready;
  }
  /// What is left when nothing follows.
  std::string flush() { return std::exchange(held, ""); }
  bool found() const { return isFound; }

private:
  std::vector<std::string> stops; // none is empty
  std::string held;
  bool isFound = false;
};

} // namespace xfmr::run
