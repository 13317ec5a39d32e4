// One model beside several others: each window goes once through A, and through every B.
#pragma once
#include "tools/xfmr-compare/Comparison.h"
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

struct Row {
  std::string label; // what a person gave: a path, or a pipeline of passes
  std::unique_ptr<Side> side;
  Comparison result;
};

/// Scores positions 0 .. N-2 of every window.
Status compareOn(const std::vector<std::vector<int32_t>> &windows, Side &a, std::vector<Row> &rows);

/// Figures of one B, or a table of several with the parameters that each has; JSON likewise an object or a list.
void printRows(const Side &a, const std::vector<Row> &rows, bool json);

/// A label as JSON.
std::string quotedLabel(const std::string &text);

} // namespace xfmr::compare
