// A table for people: texts to the left, numbers to the right. Widths count characters, not bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace xfmr::inspect {

class TextTable {
public:
  /// The first column is text.
  TextTable() = default;
  /// Texts come after `numbers` columns.
  explicit TextTable(size_t numbers) : numbers(numbers) {}
  /// The first column is text, and so is the last, of any length: lines of dashes do not reach under it.
  static TextTable withRemarks() {
    TextTable table;
    table.remarks = true;
    return table;
  }

  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  /// A line of dashes.
  void rule() { rows.emplace_back(); }
  void print(std::ostream &out) const;

private:
  std::optional<size_t> numbers;
  bool remarks = false;
  std::vector<std::vector<std::string>> rows;
};

/// 1342177280 as "1,342,177,280".
std::string grouped(int64_t number);
/// Four digits.
std::string number(double value);
/// 0.167 as "16.7 %".
std::string percent(double share);
/// `part` of `whole` as "16.7 %"; "-" of nothing.
std::string share(int64_t part, int64_t whole);

} // namespace xfmr::inspect
