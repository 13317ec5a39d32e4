// See CalibrationText.h.
#include "passes/calibration/CalibrationText.h"
#include "runtime/artifact/MappedFile.h"

#include <algorithm>

namespace xfmr {

MatrixF TokenWindows::column(int64_t first, int64_t windows) const {
  MatrixF column(std::min(windows, count() - first) * length, 1);
  for (Eigen::Index row = 0; row < column.rows(); ++row)
    column(row, 0) = static_cast<float>(ids[first * length + row]);
  return column;
}

Status appendWindows(const tokenizer::Tokenizer &tokenizer, int32_t begin, const std::string &text,
                     TokenWindows &out) {
  std::vector<int32_t> ids;
  std::string error;
  if (!tokenizer.encode(text, /*addSpecialTokens=*/false, ids, error))
    return Status::error(error);
  const size_t run = static_cast<size_t>(out.length - 1);
  if (ids.size() < run)
    return Status::error("the text has " + std::to_string(ids.size()) + " tokens, a window needs " +
                         std::to_string(run));
  for (size_t first = 0; first + run <= ids.size(); first += run) {
    out.ids.push_back(begin);
    out.ids.insert(out.ids.end(), ids.begin() + first, ids.begin() + first + run);
  }
  return Status::success();
}

Status readText(const std::string &path, std::string &out) {
  MappedFile file;
  if (Status status = MappedFile::open(path, file); status.failed())
    return status;
  out.assign(reinterpret_cast<const char *>(file.data()), file.size());
  return Status::success();
}

} // namespace xfmr
