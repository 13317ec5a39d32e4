// A table for people: the first column to the left, numbers to the right.
#pragma once
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace xfmr::inspect {

class TextTable {
public:
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  /// A line of dashes.
  void rule() { rows.emplace_back(); }
  void print(std::ostream &out) const;

private:
  std::vector<std::vector<std::string>> rows;
};

/// 1342177280 as "1,342,177,280".
std::string grouped(int64_t number);
/// `part` of `whole` as "16.7 %"; "-" of nothing.
std::string share(int64_t part, int64_t whole);

} // namespace xfmr::inspect
