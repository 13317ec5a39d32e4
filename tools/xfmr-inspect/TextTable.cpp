// See TextTable.h.
#include "tools/xfmr-inspect/TextTable.h"
#include <algorithm>
#include <cstdio>

namespace xfmr::inspect {

/// Of UTF-8.
static size_t characters(const std::string &text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; });
}

void TextTable::print(std::ostream &out) const {
  std::vector<size_t> widths;
  for (const auto &cells : rows) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], characters(cells[i]));
  }
  size_t total = 0;
  for (size_t width : widths)
    total += width + 2;
  if (remarks)
    total -= widths.back() - std::min(widths.back(), characters(rows.front().back()));
  const auto isText = [&](size_t column) {
    return numbers ? column >= *numbers : column == 0 || (remarks && column + 1 == widths.size());
  };
  for (const auto &cells : rows) {
    if (cells.empty()) {
      out << "  " << std::string(std::max<size_t>(total, 2) - 2, '-') << "\n";
      continue;
    }
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string pad(widths[i] - characters(cells[i]), ' ');
      line += "  " + (isText(i) ? cells[i] + pad : pad + cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (int64_t i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<size_t>(i), ",");
  return (number < 0 ? "-" : "") + digits;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

std::string share(int64_t part, int64_t whole) {
  if (whole == 0)
    return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

} // namespace xfmr::inspect
