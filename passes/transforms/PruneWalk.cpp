// See PruneWalk.h.
#include "passes/transforms/PruneWalk.h"

using namespace mlir;

namespace xfmr {
namespace {

int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

// A matrix of the columns `kept`, spread over `width` columns with zeros between.
MatrixF spread(const MatrixF &matrix, ArrayRef<int64_t> kept, int64_t width) {
  MatrixF wide = MatrixF::Zero(matrix.rows(), width);
  for (size_t i = 0; i < kept.size(); ++i)
    wide.col(kept[i]) = matrix.col(i);
  return wide;
}

VectorD biasOfRemoved(const MatrixF &weight, const VectorD &mean, ArrayRef<int64_t> kept) {
  VectorD gone = mean;
  for (int64_t column : kept)
    gone[column] = 0;
  return weight.cast<double>() * gone;
}

} // namespace

Value blockArgument(Value value) {
  Operation *op = value.getParentRegion()->getParentOp();
  auto block = dyn_cast<BlockOp>(op);
  return (block ? block : op->getParentOfType<BlockOp>()).getBody().getArgument(0);
}

void findProjections(Value value, SmallVectorImpl<Operation *> &found) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return;
  if (isa<LinearOp, GluOp>(op)) {
    found.push_back(op);
    return;
  }
  auto columnwise = dyn_cast<ColumnwiseOpInterface>(op);
  for (Value operand : columnwise ? columnwise.getColumnOperands() : op->getOperands().take_front(1))
    findProjections(operand, found);
}

bool isMeant(const FeedForwardUnits &units, FfnPlace where) {
  MoeOp mixture = units.mixture;
  return where == FfnPlace::all || (where == FfnPlace::experts) == bool(mixture);
}

Joined followSum(Value output) {
  Joined joined{output};
  while (joined.result.hasOneUse()) {
    Operation *user = *joined.result.getUsers().begin();
    if (auto scale = dyn_cast<ScaleOp>(user))
      joined.factor *= scale.getFactor().convertToDouble();
    else if (isa<AddOp>(user))
      joined.joins = true;
    else
      break;
    joined.result = user->getResult(0);
  }
  return joined;
}

LogicalResult PruneWalk::error(const Status &status) { return model_.emitError(status.message()); }

LogicalResult PruneWalk::open() {
  if (options_.method == UnitMethod::first && !options_.needsActivations() && options_.texts.empty())
    return success();
  if (Status status = openSources(model_, sources_); status.failed())
    return error(status);
  if (!options_.texts.empty())
    if (Status status = readCalibration(model_, options_.texts, options_.window, windows_); status.failed())
      return error(status);
  if (!options_.statistics.empty())
    if (Status status = statistics_.emplace().read(options_.statistics, fingerprintOf(model_, sources_));
        status.failed())
      return error(status);
  return success();
}

// The residual at the block's input, from the one after the block before.
LogicalResult PruneWalk::enter(BlockOp block) {
  if (block.getInputs().size() != 1 || block.getNumResults() != 1)
    return block.emitError("calibration needs blocks of one input and one result");
  Value input = block.getInputs().front();
  if (previous_) {
    for (Stream *stream : {&dense_, &pruned_})
      for (MatrixF &chunk : *stream) {
        Activations known;
        known[previous_.getResult(0)] = std::move(chunk);
        if (failed(forward_.evaluate(input, windows_.length, known)))
          return failure();
        chunk = std::move(known.find(input)->second);
      }
    return success();
  }
  for (int64_t first = 0; first < windows_.count(); first += kChunkWindows) {
    Activations known;
    known[model_.getTokens()] = windows_.column(first, kChunkWindows);
    if (failed(forward_.evaluate(input, windows_.length, known)))
      return failure();
    dense_.push_back(std::move(known.find(input)->second));
  }
  if (options_.prunedPath())
    pruned_ = dense_;
  return success();
}

// Both streams through the block: the dense copy, and the block as it is now.
LogicalResult PruneWalk::leave(BlockOp block, BlockOp dense) {
  for (auto [stream, through] : {std::pair<Stream *, BlockOp>{&dense_, dense}, {&pruned_, block}})
    for (MatrixF &chunk : *stream) {
      Activations known;
      known[through.getBody().getArgument(0)] = std::move(chunk);
      Value yielded = through.getBody().front().getTerminator()->getOperand(0);
      if (failed(forward_.evaluate(yielded, windows_.length, known)))
        return failure();
      chunk = std::move(known.find(yielded)->second);
    }
  previous_ = block;
  return success();
}

LogicalResult PruneWalk::run(ArrayRef<BlockPlan> plan) {
  if (failed(open()))
    return failure();
  const bool streams = windows_.count() > 0;
  for (auto [block, cuts] : llvm::zip(SmallVector<BlockOp>(model_.getBody().getOps<BlockOp>()), plan)) {
    if (streams && failed(enter(block)))
      return failure();
    if (cuts.heads || cuts.width || pathsDiffer())
      separateSplits(rewriter_, block);
    Operation *copy = block->clone();
    LogicalResult done = cutBlock(block, cast<BlockOp>(copy), cuts);
    if (succeeded(done) && streams)
      done = leave(block, cast<BlockOp>(copy));
    forward_.forgetWeights(); // of ops that are gone
    copy->erase();
    if (failed(done))
      return failure();
    eraseDeadWeights(block);
  }
  if (repaired_.empty())
    return success();
  if (Status status = repaired_.write(model_, options_.out); status.failed())
    return error(status);
  return success();
}

LogicalResult PruneWalk::cutBlock(BlockOp block, BlockOp dense, const BlockPlan &plan) {
  SmallVector<AttentionUnits> attentions = findAttentions(block), denseAttentions = findAttentions(dense);
  for (auto [index, units] : llvm::enumerate(attentions)) {
    const std::string name = moduleName(block, "attention", index);
    if (plan.heads || (options_.chosenRepair() == Repair::full && pathsDiffer()))
      if (failed(cutAttention(units, denseAttentions[index], plan.heads, name)))
        return failure();
  }
  SmallVector<FeedForwardUnits> networks = findFeedForwards(block), denseNetworks = findFeedForwards(dense);
  if (plan.experts && failed(cutBlockExperts(block, networks, denseNetworks, *plan.experts)))
    return failure();
  for (auto [index, units] : llvm::enumerate(networks)) {
    if (!plan.width || !isMeant(units, plan.where))
      continue;
    const std::string name = moduleName(block, "ffn", index);
    const int64_t before = units.width(), width = std::min(*plan.width, before);
    counts_.add(before * units.copies(), width * units.copies());
    if (failed(units.mixture ? cutMixture(units, denseNetworks[index], width, name)
                             : cutNetwork(units, denseNetworks[index], width, name)))
      return failure();
    if (width < before)
      units.hidden.getDefiningOp()->emitRemark(mask_ ? "zeroed " : "removed ")
          << before - width << " of " << before << " channels" << (units.mixture ? " of every expert" : "");
  }
  return success();
}

LogicalResult PruneWalk::wantedOutput(size_t chunk, Value output, Value denseOutput, Value input, Value denseInput,
                                      MatrixF &target, MatrixF &inputs) {
  const Joined joined = followSum(output), denseJoined = followSum(denseOutput);
  const bool differ = pathsDiffer(), corrects = differ && joined.joins;
  Activations known;
  known[blockArgument(denseInput)] = dense_[chunk];
  auto find = [&](Value value, MatrixF &found) {
    if (failed(forward_.evaluate(value, windows_.length, known)))
      return failure();
    found = known.find(value)->second;
    return success();
  };
  if (failed(find(corrects ? denseJoined.result : denseOutput, target)))
    return failure();
  if (!differ)
    return find(denseInput, inputs);
  known.clear();
  known[blockArgument(input)] = pruned_[chunk];
  if (failed(find(input, inputs)))
    return failure();
  if (!corrects)
    return success();
  MatrixF sum, own;
  if (failed(find(output, own)) || failed(find(joined.result, sum)))
    return failure();
  target = (target - sum) / static_cast<float>(joined.factor) + own;
  return success();
}

// Sums of a module over the calibration text. Statistics are those of the dense model; the equations are those of the
// path that counts: what the module reads, and what it must add so that the sum it joins meets that of the dense model.
LogicalResult PruneWalk::measure(Module &module, UnitStatistics *statistics, NormalEquations *sums) {
  const int64_t width = widthOf(module.hidden), outputs = widthOf(module.out.getResult());
  if (statistics_) {
    const UnitStatistics *stored = nullptr;
    if (Status status = statistics_->find(module.name, width, stored); status.failed())
      return module.out.emitError(status.message());
    if (statistics)
      *statistics = *stored;
    if (!sums)
      return success();
    const MatrixF *weight = forward_.weight(module.out.getWeight());
    if (!weight)
      return failure();
    sums->gram = stored->gram; // the outputs are the weight's own
    sums->cross = weight->cast<double>() * stored->gram;
    sums->targetSquares = sums->cross.cwiseProduct(weight->cast<double>()).sum();
    return success();
  }
  if (sums)
    *sums = NormalEquations(width, outputs);
  for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
    if (statistics) {
      Activations known;
      known[blockArgument(module.denseHidden)] = dense_[chunk];
      if (failed(forward_.evaluate(module.denseHidden, windows_.length, known)))
        return failure();
      statistics->add(known.find(module.denseHidden)->second, windows_.length, module.headDim, module.groupSize,
                      collecting_);
    }
    if (!sums)
      continue;
    MatrixF target, inputs;
    if (failed(wantedOutput(chunk, module.out.getResult(), module.denseOut.getResult(), module.hidden,
                            module.denseHidden, target, inputs)))
      return failure();
    if (Value bias = module.out.getBias()) {
      const MatrixF *values = forward_.weight(bias);
      if (!values)
        return failure();
      target.rowwise() -= values->col(0).transpose();
    }
    sums->add(inputs, target);
  }
  return success();
}

LogicalResult PruneWalk::cutAttention(AttentionUnits &units, AttentionUnits &dense, const std::optional<HeadCut> &cut,
                                      StringRef name) {
  if (!cut && !units.refusal.empty())
    return success(); // nothing was asked for here
  const int64_t before = units.numHeads(), width = units.headDim() * before;
  const int64_t left = cut ? cut->headsLeft(units) : before;
  if (cut)
    counts_.add(before, left);
  if (left == before && !pathsDiffer())
    return success();
  Module module{units.attention.getResult(), dense.attention.getResult(), units.out,  dense.out,
                units.headDim(),             units.groupSize(),           name.str()};
  AttentionOp attention = units.attention, denseAttention = dense.attention;
  const Value projected[] = {attention.getQuery(), attention.getKey(), attention.getValue()};
  const Value denseProjected[] = {denseAttention.getQuery(), denseAttention.getKey(), denseAttention.getValue()};
  InputMap inputs;
  if (options_.chosenRepair() == Repair::full && pathsDiffer())
    if (failed(mapInputs(projected, denseProjected, inputs)))
      return failure();

  const HeadCut units_ = cut.value_or(HeadCut{HeadMode::kvGroups, units.numKvHeads()});
  const int64_t unitHeads = units_.unitHeads(units), unitWidth = unitHeads * units.headDim();
  const bool repairs = options_.chosenRepair() != Repair::none;
  UnitStatistics statistics;
  NormalEquations sums;
  const MatrixF *weight = options_.method == UnitMethod::first && !repairs ? nullptr : forward_.weight(units.out.getWeight());
  if (options_.method != UnitMethod::first || repairs) {
    if (!weight)
      return failure();
    const bool equations = repairs || options_.method == UnitMethod::obs;
    if (options_.needsActivations() && failed(measure(module, &statistics, equations ? &sums : nullptr)))
      return failure();
    weight = forward_.weight(units.out.getWeight());
  }
  Choice choice;
  Indices keptUnits;
  const int64_t groups = units_.mode == HeadMode::perGroup ? units.numKvHeads() : 1;
  const MatrixD prior = repairs && options_.chosenRepair() == Repair::full ? MatrixD(weight->cast<double>()) : MatrixD();
  const double ridge = sums.gram.size() ? damping(sums.gram, options_.dampingShare()) : 0;
  if (options_.method == UnitMethod::obs) {
    keptUnits = keepUnits(sums, unitWidth, groups, units_.count, ridge, prior.size() ? &prior : nullptr);
  } else {
    SmallVector<double> scores(before / unitHeads);
    if (options_.method != UnitMethod::first)
      scores = headScores(options_.method, statistics, *weight, units.headDim(), unitHeads);
    const int64_t size = scores.size() / groups;
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t unit : keepLargest(ArrayRef<double>(scores).slice(group * size, size), units_.count))
        keptUnits.push_back(group * size + unit);
  }
  const Indices heads = columnsOf(keptUnits, unitHeads), columns = columnsOf(heads, units.headDim());
  choice.kept = Kept(columns);
  if (repairs)
    choice.weight = fitColumns(sums, columns, ridge, prior.size() ? &prior : nullptr).weight;
  if (options_.method == UnitMethod::flap)
    choice.bias = biasOfRemoved(*weight, statistics.mean(), columns);
  if (left < before) {
    if (failed(cutHeads(rewriter_, units, units_.mode, heads, mask_)))
      return failure();
    attention.emitRemark(mask_ ? "zeroed " : "removed ") << before - left << " of " << before << " query heads";
  }
  differ_ = true;
  if (failed(applyMap(inputs, name)))
    return failure();
  return setOutput(units.out, width, choice, name);
}

LogicalResult PruneWalk::cutNetwork(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width, StringRef name) {
  const int64_t before = units.width();
  const bool repairs = options_.chosenRepair() != Repair::none;
  if (width == before && !(repairs && pathsDiffer()))
    return success();
  Module module{units.hidden, dense.hidden, units.down, dense.down, 0, 0, name.str()};
  InputMap inputs;
  if (options_.chosenRepair() == Repair::full && pathsDiffer())
    if (failed(mapInputs(units.hidden, dense.hidden, inputs)))
      return failure();
  Choice choice;
  if (options_.method == UnitMethod::first && !repairs) {
    choice.kept = Kept(firstIndices(width));
  } else {
    UnitStatistics statistics;
    NormalEquations sums;
    const bool equations = repairs || options_.method == UnitMethod::obs;
    if (options_.needsActivations() && failed(measure(module, &statistics, equations ? &sums : nullptr)))
      return failure();
    const MatrixF *weight = forward_.weight(units.down.getWeight());
    if (!weight)
      return failure();
    const MatrixD prior = options_.chosenRepair() == Repair::full ? MatrixD(weight->cast<double>()) : MatrixD();
    const MatrixD *towards = prior.size() ? &prior : nullptr;
    const double ridge = equations ? damping(sums.gram, options_.dampingShare()) : 0;
    Indices kept;
    if (options_.method == UnitMethod::obs)
      kept = keepColumns(sums, width, std::max<int64_t>(1, before / 16), /*sets=*/1, ridge, towards);
    else if (options_.method == UnitMethod::first)
      kept = firstIndices(width);
    else
      kept = keepLargest(channelScores(options_.method, statistics, *weight), width);
    if (repairs)
      choice.weight = fitColumns(sums, kept, ridge, towards).weight;
    if (options_.method == UnitMethod::flap)
      choice.bias = biasOfRemoved(*weight, statistics.mean(), kept);
    choice.kept = Kept(kept);
  }
  if (failed(cutChannels(rewriter_, units, choice.kept, mask_)))
    return failure();
  differ_ = true;
  if (failed(applyMap(inputs, name)))
    return failure();
  return setOutput(units.down, before, choice, name);
}

// Replaces the weight of a projection that has been cut, and its bias, by repaired ones.
LogicalResult PruneWalk::setOutput(LinearOp out, int64_t before, const Choice &choice, StringRef name) {
  rewriter_.setInsertionPoint(out);
  if (choice.weight) {
    MatrixF weight = choice.weight->cast<float>();
    if (mask_)
      weight = spread(weight, choice.kept.lists.front(), before);
    auto type = cast<RankedTensorType>(out.getWeight().getType());
    out.getWeightMutable().assign(
        repaired_.add(rewriter_, out.getLoc(), (name + ".out.weight").str(), type, std::move(weight), forward_));
  }
  if (choice.bias) {
    auto type = RankedTensorType::get({choice.bias->size()}, rewriter_.getF32Type());
    MatrixF bias = choice.bias->cast<float>();
    if (Value present = out.getBias()) {
      const MatrixF *values = forward_.weight(present);
      if (!values)
        return failure();
      bias += *values;
      type = cast<RankedTensorType>(present.getType());
    }
    Value weight = repaired_.add(rewriter_, out.getLoc(), (name + ".out.bias").str(), type, std::move(bias), forward_);
    out.getBiasMutable().assign(weight);
  }
  return success();
}

// Input map: the projections read x^ where the dense model reads x. W becomes W M with M = I + (X - X^) X^^T (X^ X^^T +
// ridge I)^-1, the ridge regression of x on x^ pulled to the identity. Until applyMap the ops stay, only their values
// change.
LogicalResult PruneWalk::mapInputs(ValueRange projected, ValueRange denseProjected, InputMap &out) {
  SmallVector<Operation *> denseProjections;
  for (Value value : projected)
    findProjections(value, out.projections);
  for (Value value : denseProjected)
    findProjections(value, denseProjections);
  Value input = out.projections.front()->getOperand(0), denseInput = denseProjections.front()->getOperand(0);
  for (Operation *projection : out.projections)
    if (projection->getOperand(0) != input)
      return success(); // adapters: their wide linears read something else
  auto mixture = out.projections.front()->getParentOfType<MoeOp>();
  if (mixture) {
    if (input != mixture.getTokenBatch())
      return success();
    input = mixture.getInput();
    denseInput = denseProjections.front()->getParentOfType<MoeOp>().getInput();
  }
  NormalEquations sums(widthOf(input), widthOf(input));
  for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
    Activations known, denseKnown;
    known[blockArgument(input)] = pruned_[chunk];
    denseKnown[blockArgument(denseInput)] = dense_[chunk];
    if (failed(forward_.evaluate(input, windows_.length, known)) ||
        failed(forward_.evaluate(denseInput, windows_.length, denseKnown)))
      return failure();
    const MatrixF &x = known.find(input)->second;
    sums.add(x, denseKnown.find(denseInput)->second - x);
  }
  MatrixD damped = sums.gram;
  damped.diagonal().array() += damping(sums.gram, 1e-2);
  out.map = damped.llt().solve(sums.cross.transpose()).transpose();
  out.map.diagonal().array() += 1.0;
  for (Operation *projection : out.projections) {
    Value weight = projection->getOperand(1);
    out.weights.push_back(weight);
    for (int64_t expert = mixture ? 0 : -1; expert < (mixture ? mixture.getNumExperts() : 0); ++expert) {
      const MatrixF *present = forward_.weight(weight, expert);
      if (!present)
        return failure();
      forward_.provide(weight, (present->cast<double>() * out.map).cast<float>(), expert);
    }
  }
  return success();
}

LogicalResult PruneWalk::applyMap(InputMap &map, StringRef name) {
  if (!map)
    return success();
  for (auto [index, projection] : llvm::enumerate(map.projections)) {
    Value weight = projection->getOperand(1);
    auto mixture = projection->getParentOfType<MoeOp>();
    auto type = cast<RankedTensorType>(weight.getType());
    const int64_t experts = mixture ? mixture.getNumExperts() : 1, rows = type.getDimSize(0);
    MatrixF mapped(experts * rows, type.getDimSize(1));
    for (int64_t expert = 0; expert < experts; ++expert) {
      const MatrixF *present = forward_.weight(weight, mixture ? expert : -1);
      if (!present)
        return failure();
      if (weight == map.weights[index]) // not cut: its value is mapped already
        mapped.middleRows(expert * rows, rows) = *present;
      else
        mapped.middleRows(expert * rows, rows) = (present->cast<double>() * map.map).cast<float>();
    }
    const std::string tensor = (name + ".in" + Twine(index) + ".weight").str();
    if (mixture) {
      rewriter_.setInsertionPoint(mixture);
      type = RankedTensorType::get({experts, rows, type.getDimSize(1)}, type.getElementType());
      Value stacked = repaired_.add(rewriter_, mixture.getLoc(), tensor, type, std::move(mapped), forward_);
      projection->setOperand(1, mixture.addStacked(stacked));
    } else {
      rewriter_.setInsertionPoint(projection);
      projection->setOperand(1, repaired_.add(rewriter_, projection->getLoc(), tensor, type, std::move(mapped), forward_));
    }
  }
  return success();
}

} // namespace xfmr
