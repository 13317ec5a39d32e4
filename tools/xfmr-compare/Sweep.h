// One model beside several others: each window goes once through A, and through every B.
#pragma once
#include "tools/xfmr-compare/Comparison.h"
#include "tools/xfmr-compare/Side.h"
#include "llvm/ADT/STLFunctionalExtras.h"

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

/// How both kinds of sweep print one object, or a list of those of all rows: `printOne(i, list)` after what opens it; of a list
/// each begins with its label and its parameters.
void printObjects(size_t count, llvm::function_ref<void(size_t i, bool list)> printOne);
/// What an object of a JSON list begins with.
void printLabel(const std::string &label, const Side &side);

/// "I of N windows" on the terminal, if there is one.
void showProgress(int64_t done, int64_t windows);

} // namespace xfmr::compare
