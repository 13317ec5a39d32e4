// Looks names up in the tables: a row fits a module, with .weight or .bias behind it, or a tensor by its whole name.
#include "import/GgufFamilies.h"
#include "import/GgufTables.h"

namespace xfmr {

using namespace gguf;

namespace {

/// Whether `name` is `pattern` with a number at every {}; the numbers go to `numbers`.
bool matches(llvm::StringRef pattern, llvm::StringRef name, llvm::SmallVectorImpl<int64_t> &numbers) {
  numbers.clear();
  while (true) {
    auto [literal, rest] = pattern.split("{}");
    if (!name.consume_front(literal))
      return false;
    if (literal.size() == pattern.size())
      return name.empty();
    const llvm::StringRef digits = name.take_while([](char c) { return c >= '0' && c <= '9'; });
    int64_t number;
    if (digits.empty() || digits.size() > 9 || digits.getAsInteger(10, number))
      return false;
    numbers.push_back(number);
    name = name.drop_front(digits.size());
    pattern = rest;
  }
}

std::string filled(llvm::StringRef pattern, llvm::ArrayRef<int64_t> numbers, llvm::StringRef suffix) {
  auto [before, after] = pattern.split("{}");
  const bool open = before.size() != pattern.size();
  return (before + (open ? std::to_string(numbers.front()) : std::string()) + after + suffix).str();
}

/// Rows of q, k and v of one group of heads after the other, in a tensor with those of all queries, keys and values.
llvm::SmallVector<int64_t> groupedRows(const GgufShapes &shapes) {
  const int64_t group = shapes.heads / shapes.kvHeads, size = shapes.headDim;
  const int64_t keys = shapes.heads * size, values = keys + shapes.kvHeads * size;
  llvm::SmallVector<int64_t> rows;
  for (int64_t kv = 0; kv < shapes.kvHeads; ++kv) {
    for (int64_t i = 0; i < group * size; ++i)
      rows.push_back(kv * group * size + i);
    for (int64_t first : {keys, values})
      for (int64_t i = 0; i < size; ++i)
        rows.push_back(first + kv * size + i);
  }
  return rows;
}

} // namespace

std::optional<TensorPlace> GgufTensorNames::find(llvm::StringRef name) const {
  auto [module, last] = name.rsplit('.');
  const bool isModule = last == "weight" || last == "bias";
  llvm::SmallVector<int64_t> numbers;
  for (llvm::ArrayRef<GgufName> table : {family_.names, kCommonNames})
    for (const GgufName &row : table) {
      const bool whole = matches(row.name, name, numbers);
      if (!whole && !(isModule && matches(row.name, module, numbers)))
        continue;
      const std::string suffix = whole ? "" : "." + last.str();
      TensorPlace place;
      place.form = row.form;
      llvm::SmallVector<llvm::StringRef, 3> stored;
      llvm::StringRef(row.stored).split(stored, '|');
      for (llvm::StringRef each : stored)
        place.tensors.push_back(filled(each, numbers, suffix));
      if (place.form == TensorForm::transposed && last == "bias")
        place.form = TensorForm::same;
      if (place.form == TensorForm::rows)
        place.rows = groupedRows(shapes_);
      if (place.form == TensorForm::entry) {
        place.index = numbers.back();
        place.count = shapes_.experts;
      }
      if (place.form == TensorForm::keyValue) {
        const std::string joined = place.tensors.back();
        place.tensors.pop_back();
        place.index = shapes_.keyRows;
        place.count = shapes_.heads;
        if (shapes_.keyRows == 0)
          place = {TensorForm::same, {joined}};
      }
      return place;
    }
  return std::nullopt;
}

} // namespace xfmr
