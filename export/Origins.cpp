// See Origins.h.
#include "export/Origins.h"
#include "weights/Diagnostics.h"
#include "weights/Expressions.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numeric>

using namespace mlir;

namespace xfmr::exports {

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

OpBuilder behind(Value value) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  return builder;
}

Value gathered(Value value, int64_t axis, ArrayRef<int64_t> indices) {
  const bool inOrder = llvm::all_of(llvm::enumerate(indices), [](auto pair) {
    return pair.value() == static_cast<int64_t>(pair.index());
  });
  if (inOrder && typeOf(value).getDimSize(axis) == static_cast<int64_t>(indices.size()))
    return value;
  OpBuilder builder = behind(value);
  return gatherWeight(builder, value.getLoc(), value, axis, indices);
}

Value transposed(Value value) {
  OpBuilder builder = behind(value);
  value = numbersOf(builder, value.getLoc(), value);
  SmallVector<int64_t> shape(typeOf(value).getShape());
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return WeightTransposeOp::create(builder, value.getLoc(), RankedTensorType::get(shape, typeOf(value).getElementType()), value);
}

Value selected(Value value, int64_t index) {
  OpBuilder builder = behind(value);
  auto type = RankedTensorType::get(typeOf(value).getShape().drop_front(), typeOf(value).getElementType());
  return WeightSelectOp::create(builder, value.getLoc(), type, value, builder.getI64IntegerAttr(index));
}

/// [..] as [1, ..].
Value stackedAlone(Value value) {
  OpBuilder builder = behind(value);
  SmallVector<int64_t> shape(typeOf(value).getShape());
  shape.insert(shape.begin(), 1);
  return WeightStackOp::create(builder, value.getLoc(), RankedTensorType::get(shape, typeOf(value).getElementType()), ValueRange{value});
}

Value concatenated(ArrayRef<Value> values, int64_t axis) {
  if (values.size() == 1)
    return values.front();
  Value last = values.front(); // all lie in one block
  for (Value value : values)
    if (last.getDefiningOp()->isBeforeInBlock(value.getDefiningOp()))
      last = value;
  OpBuilder builder = behind(last);
  int64_t extent = 0;
  for (Value value : values)
    extent += typeOf(value).getDimSize(axis);
  return WeightConcatOp::create(builder, values.front().getLoc(), withExtent(typeOf(values.front()), axis, extent), values,
                                builder.getI64IntegerAttr(axis));
}

Status unsolved(Value wanted) {
  return Status::error("the importer makes a weight by " + wanted.getDefiningOp()->getName().getStringRef().str() +
                       ", for which the stored tensor cannot be told");
}

} // namespace

Status Origins::assign(Value wanted, Value found) { return solve(wanted, {found, -1, {}}); }

Status Origins::solve(Value wanted, const Part &part) {
  return llvm::TypeSwitch<Operation *, Status>(wanted.getDefiningOp())
      .Case([&](WeightOp stored) {
        tensors[stored.getTensorName()].push_back(part);
        return Status::success();
      })
      .Case([&](WeightGatherOp gather) {
        return solvePlaces(gather.getInput(), gather.getAxis(), gather.getIndices(), part);
      })
      .Case([&](WeightSliceOp slice) {
        SmallVector<int64_t> indices(slice.getSize());
        std::iota(indices.begin(), indices.end(), static_cast<int64_t>(slice.getOffset()));
        return solvePlaces(slice.getInput(), slice.getAxis(), indices, part);
      })
      .Case([&](WeightInterleaveOp halves) {
        const int64_t axis = halves.getAxis(), half = typeOf(wanted).getDimSize(axis) / 2;
        SmallVector<int64_t> indices;
        for (int64_t i = 0; i < half; ++i)
          indices.append({i, half + i});
        return solvePlaces(halves.getInput(), axis, indices, part);
      })
      .Case([&](WeightTransposeOp transpose) {
        const int64_t rank = typeOf(wanted).getRank();
        const int64_t axis = part.axis < rank - 2 ? part.axis : 2 * rank - 3 - part.axis;
        return solve(transpose.getInput(), {transposed(part.value), axis, part.places});
      })
      .Case([&](WeightConcatOp concat) { return solveSlices(concat, part); })
      .Case([&](WeightStackOp stack) { return solveStack(stack, part); })
      .Case([&](WeightSelectOp select) { // the one entry of an axis of 1
        if (typeOf(select.getInput()).getDimSize(0) != 1)
          return unsolved(wanted);
        return solve(select.getInput(), {stackedAlone(part.value), part.axis < 0 ? -1 : part.axis + 1, part.places});
      })
      .Case([&](WeightCastOp cast) { return solve(cast.getInput(), part); })
      .Case([&](WeightScaleOp scale) {
        return scale.getFactor().isZero() ? expectZero(part.value) : unsolved(wanted);
      })
      .Case([&](WeightAddOp) { return part.axis < 0 ? solveAlike(wanted, part.value) : unsolved(wanted); })
      .Default([&](Operation *) { return unsolved(wanted); });
}

/// A sum does not tell its terms; one that was made in the same way does: stored tensors stand at the same places of both.
Status Origins::solveAlike(Value wanted, Value found) {
  Operation *w = wanted.getDefiningOp(), *f = found.getDefiningOp();
  if (isa<WeightOp>(w))
    return solve(wanted, {found, -1, {}});
  const auto shape = [](Value value) { return typeOf(value).getShape(); };
  if (w->getName() != f->getName() || w->getNumOperands() != f->getNumOperands() || w->getAttrDictionary() != f->getAttrDictionary())
    return unsolved(wanted);
  Status status = Status::success();
  for (auto [a, b] : llvm::zip(w->getOperands(), f->getOperands())) {
    if (shape(a) != shape(b))
      return unsolved(wanted);
    if (status.ok())
      status = solveAlike(a, b);
  }
  return status;
}

// `wanted` holds the entries `indices` of the input along `axis`.
Status Origins::solvePlaces(Value input, int64_t axis, ArrayRef<int64_t> indices, const Part &part) {
  Part inner{part.value, axis, {}};
  if (part.axis < 0) {
    inner.places.assign(indices.begin(), indices.end());
  } else if (part.axis == axis) {
    for (int64_t place : part.places)
      inner.places.push_back(indices[place]);
  } else {
    return Status::error("the importer cuts a weight along two axes, for which the stored tensor cannot be told");
  }
  return solve(input, inner);
}

Status Origins::solveSlices(WeightConcatOp concat, const Part &part) {
  const int64_t axis = concat.getAxis();
  int64_t begin = 0;
  Status status = Status::success();
  for (Value piece : concat.getInputs()) {
    const int64_t end = begin + typeOf(piece).getDimSize(axis);
    if (status.failed())
      return status;
    SmallVector<int64_t> taken; // entries of part.value along the axis
    Part inner{part.value, part.axis, part.places};
    if (part.axis == axis) {
      inner.places.clear();
      for (auto [entry, place] : llvm::enumerate(part.places))
        if (place >= begin && place < end) {
          taken.push_back(static_cast<int64_t>(entry));
          inner.places.push_back(place - begin);
        }
    } else {
      taken.resize(end - begin);
      std::iota(taken.begin(), taken.end(), begin);
    }
    begin = end;
    if (taken.empty())
      continue;
    inner.value = gathered(part.value, axis, taken);
    status = solve(piece, inner);
  }
  return status;
}

Status Origins::solveStack(WeightStackOp stack, const Part &part) {
  Status status = Status::success();
  for (auto [index, input] : llvm::enumerate(stack.getInputs())) {
    if (status.failed())
      return status;
    if (part.axis == 0) {
      for (auto [entry, place] : llvm::enumerate(part.places))
        if (place == static_cast<int64_t>(index) && status.ok())
          status = solve(input, {selected(part.value, static_cast<int64_t>(entry)), -1, {}});
    } else {
      const int64_t axis = part.axis < 0 ? -1 : part.axis - 1;
      status = solve(input, {selected(part.value, static_cast<int64_t>(index)), axis, part.places});
    }
  }
  return status;
}

Status Origins::finish(ModelOp wanted, std::vector<NamedPiece> &out) {
  Status status = Status::success();
  llvm::StringSet<> seen;
  wanted.getBody().walk([&](WeightOp stored) {
    const StringRef name = stored.getTensorName();
    if (status.failed() || !seen.insert(name).second)
      return;
    Value value;
    status = join(name.str(), stored.getType(), tensors[name], value);
    out.push_back({name.str(), {value}});
  });
  return status;
}

Status Origins::join(const std::string &name, RankedTensorType type, ArrayRef<Part> parts, Value &out) {
  if (parts.empty())
    return Status::error("nothing in the model gives tensor \"" + name + "\"");
  const int64_t axis = parts.front().axis;
  for (const Part &part : parts) {
    if (part.axis != axis)
      return Status::error("parts of tensor \"" + name + "\" go along different axes");
    if (axis >= 0)
      continue;
    out = parts.front().value;
    if (sameExpression(out, part.value))
      continue;
    if (Status status = expectSame(name, out, part.value); status.failed())
      return status;
  }
  if (axis < 0)
    return Status::success();

  SmallVector<Value> values;
  Places first(type.getDimSize(axis), -1), again, original; // entries of the parts in a row
  int64_t entry = 0;
  for (const Part &part : parts) {
    Value value = part.value;
    if (typeOf(value).getElementType() != typeOf(parts.front().value).getElementType()) {
      OpBuilder builder = behind(value);
      value = WeightCastOp::create(builder, value.getLoc(),
                                   RankedTensorType::get(typeOf(value).getShape(), typeOf(parts.front().value).getElementType()), value);
    }
    values.push_back(value);
    for (int64_t place : part.places) {
      if (first[place] < 0) {
        first[place] = entry;
      } else {
        again.push_back(entry);
        original.push_back(first[place]);
      }
      ++entry;
    }
  }
  Places unread;
  for (auto [place, known] : llvm::enumerate(first))
    if (known < 0) {
      known = entry++;
      unread.push_back(static_cast<int64_t>(place));
    }
  if (!unread.empty()) {
    Value rest = unreadEntries(name, type, axis, unread, values.back());
    if (!rest)
      return Status::error("nothing in the model gives entry " + std::to_string(unread.front()) + " of axis " +
                           std::to_string(axis) + " of tensor \"" + name + "\"");
    values.push_back(rest);
  }
  Value all = concatenated(values, axis);
  if (!again.empty())
    if (Status status = expectSame(name, gathered(all, axis, again), gathered(all, axis, original)); status.failed())
      return status;
  out = gathered(all, axis, first);
  return Status::success();
}

/// Entries of the base's tensor, of the element type of `beside`; null if the base has none of this shape.
Value Origins::unreadEntries(const std::string &name, RankedTensorType type, int64_t axis, const Places &entries, Value beside) {
  const TensorView *stored = nullptr;
  if (sources.find("base", name, stored).failed() || ArrayRef<int64_t>(stored->shape) != type.getShape())
    return {};
  OpBuilder builder = behind(beside);
  Type element = stored->dtype == DType::f16    ? Type(builder.getF16Type())
                 : stored->dtype == DType::bf16 ? Type(builder.getBF16Type())
                                                : Type(builder.getF32Type());
  Value base = WeightOp::create(builder, beside.getLoc(), RankedTensorType::get(type.getShape(), element),
                                builder.getStringAttr(name), StringAttr());
  Value rows = gathered(base, axis, entries);
  if (element == typeOf(beside).getElementType())
    return rows;
  builder.setInsertionPointAfterValue(rows);
  return WeightCastOp::create(builder, beside.getLoc(), typeOf(rows).clone(typeOf(beside).getElementType()), rows);
}

/// Compares row by row; equal numbers are enough.
Status Origins::expectSame(const std::string &name, Value a, Value b) {
  const int64_t rows = weightRows(a.getType()), columns = weightColumns(a.getType());
  const int64_t step = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / columns);
  std::vector<float> left, right;
  CollectedErrors errors(a.getContext());
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t end = std::min(rows, begin + step);
    left.resize((end - begin) * columns);
    right.resize(left.size());
    if (failed(evaluator.evaluateRows(a, begin, end, left.data())) ||
        failed(evaluator.evaluateRows(b, begin, end, right.data())))
      return errors.status();
    if (left != right)
      return Status::error("tensor \"" + name + "\" serves two places of the model, which have different values now");
  }
  return Status::success();
}

Status Origins::expectZero(Value value) {
  bool zero = true;
  CollectedErrors errors(value.getContext());
  const LogicalResult done = evaluator.forEachChunk(value, [&](int64_t begin, int64_t end, const float *values) {
    const int64_t count = (end - begin) * weightColumns(value.getType());
    zero &= std::all_of(values, values + count, [](float x) { return x == 0.0f; });
    return success();
  });
  if (failed(done))
    return errors.status();
  return zero ? Status::success() : Status::error("padding of a weight is not zero, for which the checkpoint has no place");
}

} // namespace xfmr::exports
