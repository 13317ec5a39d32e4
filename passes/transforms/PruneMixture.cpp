// Experts and their channels. Channels go expert by expert from scores, or in equal numbers by one joint least squares
// over the gate-weighted features of all experts side by side; experts go whole, and the same least squares repairs
// the down projections of those that stay.
#include "passes/transforms/PruneWalk.h"

using namespace mlir;

namespace xfmr {
namespace {

MatrixF rowsAt(const MatrixF &x, ArrayRef<int64_t> rows) {
  MatrixF picked(rows.size(), x.cols());
  for (size_t i = 0; i < rows.size(); ++i)
    picked.row(i) = x.row(rows[i]);
  return picked;
}

// Adds one chunk: features[e] are rows of expert e's tokens, [n_e, F].
void addJoint(const std::vector<ExpertTokens> &tokens, const std::vector<MatrixD> &features, const MatrixF &target,
              int64_t width, NormalEquations &sums) {
  const int64_t experts = tokens.size();
  sums.targetSquares += target.cast<double>().squaredNorm();
  for (int64_t expert = 0; expert < experts; ++expert) {
    const SmallVector<int64_t> &rows = tokens[expert].rows;
    if (rows.empty())
      continue;
    const MatrixD wanted = rowsAt(target, rows).cast<double>();
    MatrixD everywhere = MatrixD::Zero(target.rows(), width);
    for (size_t i = 0; i < rows.size(); ++i)
      everywhere.row(rows[i]) = features[expert].row(i);
    sums.cross.middleCols(expert * width, width).noalias() += wanted.transpose() * features[expert];
    for (int64_t other = expert; other < experts; ++other) {
      const SmallVector<int64_t> &otherRows = tokens[other].rows;
      if (otherRows.empty())
        continue;
      MatrixD shared(otherRows.size(), width);
      for (size_t i = 0; i < otherRows.size(); ++i)
        shared.row(i) = everywhere.row(otherRows[i]);
      const MatrixD block = shared.transpose() * features[other];
      sums.gram.block(expert * width, other * width, width, width) += block;
      if (other != expert)
        sums.gram.block(other * width, expert * width, width, width) += block.transpose();
    }
  }
}

// All sets of `count` out of `present`, in lexical order.
void subsets(int64_t present, int64_t count, std::vector<Indices> &out) {
  Indices set = firstIndices(count);
  for (;;) {
    out.push_back(set);
    int64_t at = count - 1;
    while (at >= 0 && set[at] == present - count + at)
      --at;
    if (at < 0)
      return;
    ++set[at];
    for (int64_t i = at + 1; i < count; ++i)
      set[i] = set[i - 1] + 1;
  }
}

double binomial(int64_t n, int64_t k) {
  double value = 1;
  for (int64_t i = 0; i < k; ++i)
    value = value * static_cast<double>(n - i) / static_cast<double>(i + 1);
  return value;
}

constexpr double kMostSubsets = 5000;

} // namespace

LogicalResult PruneWalk::measureMixture(FeedForwardUnits &units, FeedForwardUnits &dense, bool equations,
                                        bool outputs, MixtureSums &sums) {
  MoeOp mixture = units.mixture, denseMixture = dense.mixture;
  if (mixture.getRouting().getWeightOnInput())
    return mixture.emitError("calibration does not know mixtures that weigh the input of an expert");
  const int64_t width = units.width(), experts = mixture.getNumExperts();
  const bool differ = pathsDiffer();
  MoeOp source = differ ? mixture : denseMixture;
  Value hidden = differ ? units.hidden : dense.hidden;
  Value yielded = source.getExpert().front().getTerminator()->getOperand(0);
  sums.experts.assign(experts, {});
  sums.gatedNorms.assign(experts, 0);
  if (equations)
    sums.equations = NormalEquations(experts * width, cast<RankedTensorType>(mixture.getType()).getDimSize(1));
  std::vector<VectorD> absolute(experts, VectorD::Zero(width)); // sum over its tokens of |h|
  for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
    MatrixF target, x;
    if (failed(wantedOutput(chunk, mixture.getResult(), denseMixture.getResult(), mixture.getInput(),
                            denseMixture.getInput(), target, x)))
      return failure();
    std::vector<ExpertTokens> tokens;
    if (failed(forward_.route(source, x, tokens)))
      return failure();
    std::vector<MatrixD> features(experts);
    for (int64_t expert = 0; expert < experts; ++expert) {
      const ExpertTokens &given = tokens[expert];
      if (given.rows.empty())
        continue;
      const MatrixF batch = rowsAt(x, given.rows);
      const VectorD gates = Eigen::Map<const Eigen::VectorXf>(given.gates.data(), given.gates.size()).cast<double>();
      MatrixF h;
      if (failed(forward_.evaluateExpert(source, expert, hidden, batch, h)))
        return failure();
      sums.experts[expert].add(h, h.rows(), 0, 0, /*withGram=*/false);
      absolute[expert] += h.cast<double>().cwiseAbs().colwise().sum().transpose();
      features[expert] = gates.asDiagonal() * h.cast<double>();
      if (outputs) {
        if (failed(forward_.evaluateExpert(source, expert, yielded, batch, h)))
          return failure();
        sums.gatedNorms[expert] += gates.dot(h.rowwise().norm().cast<double>());
      }
      // What a bias of down contributes is not the features' to make up.
      if (Value bias = equations ? units.down.getBias() : Value()) {
        const MatrixF *values = forward_.weight(bias, expert);
        if (!values)
          return failure();
        for (size_t i = 0; i < given.rows.size(); ++i)
          target.row(given.rows[i]) -= values->col(0).transpose() * given.gates[i];
      }
    }
    if (equations)
      addJoint(tokens, features, target, width, sums.equations);
  }
  for (int64_t expert = 0; expert < experts; ++expert) {
    UnitStatistics &own = sums.experts[expert];
    if (own.tokens == 0) { // never routed to: nothing is known of it
      own.add(MatrixF::Zero(1, width), 1, 0, 0, false);
      own.tokens = 0;
    }
    own.windowMeans = absolute[expert].cwiseAbs2(); // one mean over all its tokens
    own.gatedNorms = sums.gatedNorms[expert];
  }
  return success();
}

LogicalResult PruneWalk::cutMixture(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width, StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t before = units.width(), experts = units.copies();
  const bool repairs = options_.chosenRepair() != Repair::none;
  if (width == before && !(repairs && pathsDiffer()))
    return success();
  if (options_.method == UnitMethod::first && !repairs) {
    differ_ = true;
    return cutChannels(rewriter_, units, Kept(firstIndices(width)), mask_);
  }
  InputMap inputs;
  if (options_.chosenRepair() == Repair::full && pathsDiffer())
    if (failed(mapInputs(units.hidden, dense.hidden, inputs)))
      return failure();
  const bool equations = repairs || options_.method == UnitMethod::obs;
  MixtureSums sums;
  if (statistics_) {
    if (equations)
      return mixture.emitError("statistics hold no joint equations of a mixture; this method needs text=FILE here");
    for (int64_t expert = 0; expert < experts; ++expert) {
      const UnitStatistics *stored = nullptr;
      if (Status status = statistics_->find((name + "." + Twine(expert)).str(), before, stored); status.failed())
        return mixture.emitError(status.message());
      sums.experts.push_back(*stored);
    }
  } else if (options_.needsActivations()) {
    if (failed(measureMixture(units, dense, equations, /*outputs=*/false, sums)))
      return failure();
  } else {
    sums.experts.assign(experts, {});
  }

  const int64_t hiddenSize = cast<RankedTensorType>(mixture.getType()).getDimSize(1);
  std::vector<MatrixF> down(experts);
  MatrixD prior(hiddenSize, experts * before);
  for (int64_t expert = 0; expert < experts; ++expert) {
    const MatrixF *weight = forward_.weight(units.down.getWeight(), expert);
    if (!weight)
      return failure();
    down[expert] = *weight;
    prior.middleCols(expert * before, before) = weight->cast<double>();
  }
  const MatrixD *towards = options_.chosenRepair() == Repair::full ? &prior : nullptr;
  const double ridge = equations ? damping(sums.equations.gram, options_.dampingShare()) : 0;
  Kept kept;
  Indices columns; // of all experts side by side
  if (options_.method == UnitMethod::obs)
    columns = keepColumns(sums.equations, width, std::max<int64_t>(1, before / 16), experts, ridge, towards);
  for (int64_t expert = 0; expert < experts; ++expert) {
    Indices list;
    if (options_.method == UnitMethod::obs) {
      for (int64_t i = 0; i < width; ++i)
        list.push_back(columns[expert * width + i] - expert * before);
    } else {
      list = options_.method == UnitMethod::first
                 ? firstIndices(width)
                 : keepLargest(channelScores(options_.method, sums.experts[expert], down[expert]), width);
      for (int64_t i : list)
        columns.push_back(expert * before + i);
    }
    kept.lists.push_back(std::move(list));
  }
  MatrixF bias;
  if (options_.method == UnitMethod::flap) {
    bias = MatrixF::Zero(experts, hiddenSize);
    for (int64_t expert = 0; expert < experts; ++expert) {
      if (sums.experts[expert].tokens > 0) {
        VectorD gone = sums.experts[expert].mean();
        for (int64_t column : kept.list(expert))
          gone[column] = 0;
        bias.row(expert) = (down[expert].cast<double>() * gone).transpose().cast<float>();
      }
      if (Value present = units.down.getBias()) {
        const MatrixF *values = forward_.weight(present, expert);
        if (!values)
          return failure();
        bias.row(expert) += values->col(0).transpose();
      }
    }
  }
  if (failed(cutChannels(rewriter_, units, kept, mask_)) || failed(applyMap(inputs, name)))
    return failure();
  if (repairs)
    setExperts(units, fitColumns(sums.equations, columns, ridge, towards).weight, kept, mask_ ? before : width, name);
  if (bias.size()) {
    rewriter_.setInsertionPoint(mixture);
    auto type = RankedTensorType::get({experts, hiddenSize}, rewriter_.getF32Type());
    Value stacked = repaired_.add(rewriter_, mixture.getLoc(), (name + ".experts.down.bias").str(), type,
                                  std::move(bias), forward_);
    units.down.getBiasMutable().assign(mixture.addStacked(stacked));
  }
  differ_ = true;
  return success();
}

// Gives the experts new down projections: `weight` [D, E * kept], put at columns `kept` of `width`.
void PruneWalk::setExperts(FeedForwardUnits &units, const MatrixD &weight, const Kept &kept, int64_t width,
                           StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t experts = mixture.getNumExperts(), hiddenSize = weight.rows(), count = kept.size();
  MatrixF down = MatrixF::Zero(experts * hiddenSize, width); // [E, D, width]
  for (int64_t expert = 0; expert < experts; ++expert)
    for (int64_t i = 0; i < count; ++i)
      down.block(expert * hiddenSize, width == count ? i : kept.list(expert)[i], hiddenSize, 1) =
          weight.col(expert * count + i).cast<float>();
  rewriter_.setInsertionPoint(mixture);
  auto slice = cast<RankedTensorType>(units.down.getWeight().getType());
  auto type = RankedTensorType::get({experts, hiddenSize, width}, slice.getElementType());
  Value stacked = repaired_.add(rewriter_, mixture.getLoc(), (name + ".experts.down.weight").str(), type,
                                std::move(down), forward_);
  units.down.getWeightMutable().assign(mixture.addStacked(stacked));
}

LogicalResult PruneWalk::chooseSubset(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count, Indices &kept) {
  MoeOp mixture = units.mixture, denseMixture = dense.mixture;
  const int64_t experts = mixture.getNumExperts();
  if (mixture.getRouting().getNGroup() > 1)
    return mixture.emitError("method=subset does not know routers with groups of experts");
  if (binomial(experts, count) > kMostSubsets)
    return mixture.emitError("method=subset would try ")
           << static_cast<int64_t>(std::min(binomial(experts, count), 1e18)) << " sets of " << count << " out of "
           << experts << " experts, expected at most " << static_cast<int64_t>(kMostSubsets);
  std::vector<Indices> sets;
  subsets(experts, count, sets);
  std::vector<double> errors(sets.size());
  MoeOp source = pathsDiffer() ? mixture : denseMixture;
  Value yielded = source.getExpert().front().getTerminator()->getOperand(0);
  for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
    MatrixF target, x;
    if (failed(wantedOutput(chunk, mixture.getResult(), denseMixture.getResult(), mixture.getInput(),
                            denseMixture.getInput(), target, x)))
      return failure();
    std::vector<MatrixF> outputs(experts); // of every expert for every token
    for (int64_t expert = 0; expert < experts; ++expert)
      if (failed(forward_.evaluateExpert(source, expert, yielded, x, outputs[expert])))
        return failure();
    for (size_t set = 0; set < sets.size(); ++set) {
      std::vector<ExpertTokens> tokens;
      if (failed(forward_.route(source, x, tokens, sets[set])))
        return failure();
      MatrixF missing = target;
      for (size_t i = 0; i < sets[set].size(); ++i)
        for (size_t token = 0; token < tokens[i].rows.size(); ++token)
          missing.row(tokens[i].rows[token]) -=
              outputs[sets[set][i]].row(tokens[i].rows[token]) * tokens[i].gates[token];
      errors[set] += missing.cast<double>().squaredNorm();
    }
  }
  kept = sets[std::min_element(errors.begin(), errors.end()) - errors.begin()];
  return success();
}

// Every mixture of a block, by the network that its experts are. Experts that are none can only be taken in order.
LogicalResult PruneWalk::cutBlockExperts(BlockOp block, MutableArrayRef<FeedForwardUnits> networks,
                                         MutableArrayRef<FeedForwardUnits> dense, int64_t count) {
  SmallVector<MoeOp> mixtures;
  block.walk([&](MoeOp mixture) { mixtures.push_back(mixture); });
  for (MoeOp mixture : mixtures) {
    size_t index = 0;
    while (index < networks.size() && networks[index].mixture != mixture)
      ++index;
    const bool found = index < networks.size() && networks[index].refusal.empty();
    if (!found && (options_.experts != ExpertMethod::first || options_.chosenRepair() != Repair::none))
      return mixture.emitError("its experts are no feed-forward networks that can be measured; expected method=first "
                               "and repair=none");
    FeedForwardUnits plain{{}, {}, mixture, {}, mixture};
    if (failed(cutExpertsOf(found ? networks[index] : plain, found ? dense[index] : plain, count,
                            moduleName(block, "ffn", index))))
      return failure();
  }
  return success();
}

LogicalResult PruneWalk::cutExpertsOf(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count,
                                      StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t before = mixture.getNumExperts(), groups = mixture.getRouting().getNGroup(), size = before / groups;
  const bool repairs = options_.chosenRepair() != Repair::none;
  counts_.add(before, count);
  if (count == before && !(repairs && pathsDiffer()))
    return success();
  Indices kept;
  if (options_.experts == ExpertMethod::subset && count < before) {
    if (failed(chooseSubset(units, dense, count, kept)))
      return failure();
  } else {
    std::vector<double> scores(before);
    if (options_.experts != ExpertMethod::first && count < before) {
      MixtureSums sums;
      if (statistics_) {
        for (int64_t expert = 0; expert < before; ++expert) {
          const UnitStatistics *stored = nullptr;
          if (Status status = statistics_->find((name + "." + Twine(expert)).str(), units.width(), stored);
              status.failed())
            return mixture.emitError(status.message());
          sums.experts.push_back(*stored);
        }
      } else if (failed(measureMixture(units, dense, /*equations=*/false, /*outputs=*/true, sums))) {
        return failure();
      }
      for (int64_t expert = 0; expert < before; ++expert) {
        const UnitStatistics &own = sums.experts[expert];
        const double tokens = static_cast<double>(own.tokens);
        scores[expert] = options_.experts == ExpertMethod::frequency ? tokens
                         : own.tokens                                ? own.gatedNorms / tokens
                                                                     : 0.0;
      }
    }
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t expert : keepLargest(ArrayRef<double>(scores).slice(group * size, size), count / groups))
        kept.push_back(group * size + expert);
  }
  if (count < before) {
    mixture.emitRemark(mask_ ? "shut off " : "removed ") << before - count << " of " << before << " experts";
    if (mask_) { // never chosen: their scores for choosing lie below all others
      MatrixF scores = MatrixF::Constant(before, 1, -1e30f);
      for (int64_t expert : kept)
        scores(expert, 0) = 0;
      rewriter_.setInsertionPoint(mixture);
      auto type = RankedTensorType::get({before}, rewriter_.getF32Type());
      Value bias =
          repaired_.add(rewriter_, mixture.getLoc(), (name + ".selection_bias").str(), type, std::move(scores), forward_);
      if (Value present = mixture.getSelectionBias()) {
        if (present.getType() != type)
          present = WeightCastOp::create(rewriter_, mixture.getLoc(), type, present);
        bias = WeightAddOp::create(rewriter_, mixture.getLoc(), type, present, bias);
      }
      mixture.getSelectionBiasMutable().assign(bias);
    } else {
      cutExperts(rewriter_, mixture, kept);
    }
    differ_ = true;
    forward_.forgetWeights(); // a slice of an expert's region stands for another expert now
  }
  if (!repairs)
    return success();
  MixtureSums sums;
  if (failed(measureMixture(units, dense, /*equations=*/true, /*outputs=*/false, sums)))
    return failure();
  const int64_t width = units.width();
  MatrixD prior(sums.equations.cross.rows(), count * width);
  for (int64_t expert = 0; expert < count; ++expert) {
    const MatrixF *weight = forward_.weight(units.down.getWeight(), expert);
    if (!weight)
      return failure();
    prior.middleCols(expert * width, width) = weight->cast<double>();
  }
  const double ridge = damping(sums.equations.gram, options_.dampingShare());
  setExperts(units, fitColumns(sums.equations, firstIndices(count * width), ridge, &prior).weight,
             Kept(firstIndices(width)), width, name);
  differ_ = true;
  return success();
}

} // namespace xfmr
