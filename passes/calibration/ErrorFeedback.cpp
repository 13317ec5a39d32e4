// Blocks of columns: inside of one the errors go on at once, to all columns behind it as one product. No row depends on another,
// so threads take rows.
#include "passes/calibration/ErrorFeedback.h"

#include "dialect/Rounding.h"
#include "passes/calibration/Cholesky.h"
#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"
#include "weights/QuantRows.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

namespace xfmr {
namespace {

constexpr int64_t kRows = 64;   // that a thread takes at a time
constexpr int64_t kBlock = 128; // columns
constexpr size_t kTried = 12;   // scales that are judged with feedback

using RowsD = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The numbers of one row while it is rounded, plane by plane.
class RowPlanes {
public:
  RowPlanes(const QuantScheme &scheme, int64_t columns) : place_(scheme, columns) {
    for (WeightPlane plane : planesOf(scheme))
      numbers_[static_cast<size_t>(plane)].resize(scheme.planeColumns(plane, columns));
  }
  std::vector<float> &operator[](WeightPlane plane) { return numbers_[static_cast<size_t>(plane)]; }

  void setScales(int64_t run, const RunScales &scales) {
    const QuantScheme &scheme = place_.scheme;
    (*this)[WeightPlane::scales][run] = scales.scale;
    if (scheme.minimum)
      (*this)[WeightPlane::mins][run] = scales.minimum;
    if (!scheme.twoLevels())
      return;
    const int64_t first = run * (scheme.super / scheme.group);
    std::copy(scales.subScales.begin(), scales.subScales.end(), (*this)[WeightPlane::subScales].begin() + first);
    if (scheme.minimum)
      std::copy(scales.subMins.begin(), scales.subMins.end(), (*this)[WeightPlane::subMins].begin() + first);
  }

  void pack(uint8_t *row) {
    for (WeightPlane plane : planesOf(place_.scheme))
      place_.pack(plane, (*this)[plane].data(), row);
  }

private:
  QuantRows place_;
  std::vector<float> numbers_[6];
};

// U with U^T U = (gram + ridge)^-1, upper: with columns in the opposite order it is the inverse of the Cholesky factor.
MatrixD inverseFactor(const MatrixD &gram, double share) {
  const double mean = gram.diagonal().mean();
  const Cholesky reversed(gram.reverse(), mean > 0 ? share * mean : 1.0);
  return reversed.solveLower(MatrixD::Identity(gram.rows(), gram.cols())).reverse();
}

// Columns that share scales, in the order in which they are rounded; `begin` of them were rounded before.
struct Run {
  int64_t columnBegin, begin;
  std::vector<int64_t> columns;
  int64_t size() const { return static_cast<int64_t>(columns.size()); }
};

// Carefully: runs and their columns by the power of their inputs, so that what is rounded last, with nothing behind it to make up
// for the error, counts least.
std::vector<Run> runsInOrder(const MatrixD &gram, const QuantScheme &scheme, Feedback feedback) {
  const int64_t columns = gram.cols(), width = scheme.runColumns(columns);
  std::vector<Run> runs;
  std::vector<double> power;
  for (int64_t begin = 0; begin < columns; begin += width) {
    Run run{begin, 0, {}};
    for (int64_t column = begin; column < std::min(begin + width, columns); ++column)
      run.columns.push_back(column);
    if (feedback == Feedback::careful)
      llvm::stable_sort(run.columns, [&](int64_t a, int64_t b) { return gram(a, a) > gram(b, b); });
    runs.push_back(std::move(run));
  }
  auto mean = [&](const Run &run) { return gram.diagonal().segment(run.columnBegin, run.size()).mean(); };
  if (feedback == Feedback::careful)
    llvm::stable_sort(runs, [&](const Run &a, const Run &b) { return mean(a) > mean(b); });
  int64_t begin = 0;
  for (Run &run : runs) {
    run.begin = begin;
    begin += run.size();
  }
  return runs;
}

// The candidate by which the run, rounded with feedback, loses least: the sum of (w_j - q_j)^2 / U_jj^2. All are judged without
// feedback first, the best of them with it.
void improveScale(const QuantScheme &scheme, const double *w, const RowsD &upper, int64_t begin,
                  const std::vector<float> &values, RunScales &scales) {
  const std::vector<float> candidates = scaleCandidates(scheme, values.data(), static_cast<int64_t>(values.size()));
  if (candidates.empty())
    return;
  const auto count = static_cast<int64_t>(values.size());
  std::vector<std::pair<double, float>> judged;
  for (float step : candidates) {
    double loss = 0;
    for (int64_t j = 0; j < count; ++j) {
      const float value = codeValue(scheme, nearestCode(scheme, static_cast<float>(w[j]), step, 0), step, 0);
      const double error = (w[j] - value) / upper(begin + j, begin + j);
      loss += error * error;
    }
    judged.push_back({loss, step});
  }
  llvm::stable_sort(judged, [](const auto &a, const auto &b) { return a.first < b.first; });
  judged.resize(std::min<size_t>(judged.size(), kTried));
  std::vector<double> moved(count);
  double least = INFINITY;
  for (const auto &[rough, step] : judged) {
    std::copy_n(w, count, moved.begin());
    double loss = 0;
    for (int64_t j = 0; j < count && loss < least; ++j) {
      const float value = codeValue(scheme, nearestCode(scheme, static_cast<float>(moved[j]), step, 0), step, 0);
      const double error = (moved[j] - value) / upper(begin + j, begin + j);
      loss += error * error;
      for (int64_t k = j + 1; k < count; ++k)
        moved[k] -= error * upper(begin + j, begin + k);
    }
    if (loss < least)
      least = loss, scales.scale = step;
  }
  setSteps(scheme, 1, scales);
}

} // namespace

RoundedMatrix roundMatrix(const MatrixF &weight, const QuantScheme &scheme, QuantRule rule) {
  const int64_t columns = weight.cols(), run = scheme.runColumns(columns), group = scheme.groupColumns(columns);
  const int64_t rowBytes = QuantRows(scheme, columns).rowBytes();
  RoundedMatrix result{std::vector<uint8_t>(weight.rows() * rowBytes, 0), MatrixF(weight.rows(), columns)};
  parallelRows(weight.rows(), kRows, [&](int64_t first, int64_t count) {
    RowPlanes planes(scheme, columns);
    for (int64_t row = first; row < first + count; ++row) {
      for (int64_t at = 0; at < columns; at += run) {
        const int64_t size = std::min(run, columns - at);
        const RunScales scales = chooseScales(scheme, rule, &weight(row, at), size, columns);
        planes.setScales(at / run, scales);
        for (int64_t i = 0; i < size; ++i) {
          const float step = scales.steps[i / group], offset = scales.offsets[i / group];
          const int code = nearestCode(scheme, weight(row, at + i), step, offset);
          planes[WeightPlane::codes][at + i] = static_cast<float>(code);
          result.values(row, at + i) = codeValue(scheme, code, step, offset);
        }
      }
      planes.pack(result.bytes.data() + row * rowBytes);
    }
  });
  return result;
}

RoundedMatrix roundWithFeedback(const MatrixD &given, const MatrixD &gram, double share, const QuantScheme &scheme,
                                Feedback feedback) {
  const int64_t columns = given.cols(), group = scheme.groupColumns(columns);
  const std::vector<Run> runs = runsInOrder(gram, scheme, feedback);
  std::vector<int64_t> order;
  for (const Run &run : runs)
    order.insert(order.end(), run.columns.begin(), run.columns.end());
  const RowsD upper = inverseFactor(gram(order, order), share);
  const int64_t rowBytes = QuantRows(scheme, columns).rowBytes();
  RoundedMatrix result{std::vector<uint8_t>(given.rows() * rowBytes, 0), MatrixF(given.rows(), columns)};
  parallelRows(given.rows(), kRows, [&](int64_t first, int64_t rows) {
    RowsD weight = given.middleRows(first, rows)(Eigen::all, order);
    std::vector<RowPlanes> planes(rows, RowPlanes(scheme, columns));
    std::vector<RunScales> scales(rows);
    std::vector<float> values;
    auto run = runs.begin();
    for (int64_t begin = 0, end; begin < columns; begin = end) {
      // Whole runs, or pieces of one: a run begins where all errors before it have arrived.
      end = std::min(begin + kBlock, run->begin + run->size());
      for (auto next = run + 1; next != runs.end() && next->begin + next->size() <= begin + kBlock; ++next)
        end = next->begin + next->size();
      RowsD errors(rows, end - begin);
      auto last = run;
      for (int64_t row = 0; row < rows; ++row) {
        double *w = weight.row(row).data();
        last = run;
        for (int64_t j = begin; j < end; ++j) {
          if (j == last->begin + last->size())
            ++last;
          if (j == last->begin) {
            values.resize(last->size());
            for (int64_t i = 0; i < last->size(); ++i)
              values[last->columns[i] - last->columnBegin] = static_cast<float>(w[j + i]);
            scales[row] = chooseScales(scheme, QuantRule::search, values.data(), last->size(), columns);
            if (feedback == Feedback::careful && last->size() <= kBlock)
              improveScale(scheme, w + j, upper, j, values, scales[row]);
            planes[row].setScales(last->columnBegin / scheme.runColumns(columns), scales[row]);
          }
          const int64_t column = order[j], at = (column - last->columnBegin) / group;
          const float step = scales[row].steps[at], offset = scales[row].offsets[at];
          const int code = nearestCode(scheme, static_cast<float>(w[j]), step, offset);
          planes[row][WeightPlane::codes][column] = static_cast<float>(code);
          const float value = codeValue(scheme, code, step, offset);
          result.values(first + row, column) = value;
          const double error = (w[j] - value) / upper(j, j);
          errors(row, j - begin) = error;
          const double *u = upper.row(j).data();
          for (int64_t k = j + 1; k < end; ++k)
            w[k] -= error * u[k];
        }
      }
      if (end < columns)
        weight.rightCols(columns - end).noalias() -= errors * upper.block(begin, end, end - begin, columns - end);
      run = end == last->begin + last->size() ? last + 1 : last;
    }
    for (int64_t row = 0; row < rows; ++row)
      planes[row].pack(result.bytes.data() + (first + row) * rowBytes);
  });
  return result;
}

double outputError(const MatrixD &weight, const MatrixF &rounded, const MatrixD &gram) {
  const MatrixD difference = weight - rounded.cast<double>();
  const double all = multiply(weight, gram).cwiseProduct(weight).sum();
  return all > 0 ? multiply(difference, gram).cwiseProduct(difference).sum() / all : 0;
}

} // namespace xfmr
