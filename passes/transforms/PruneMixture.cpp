// The channels of experts: chosen expert by expert from scores, or in equal numbers by one joint least squares over the
// gate-weighted features of all experts side by side.
#include "passes/transforms/PruneWalk.h"

using namespace mlir;

namespace xfmr {

LogicalResult PruneWalk::cutMixture(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width, StringRef name) {
  MoeOp mixture = units.mixture, denseMixture = dense.mixture;
  const int64_t before = units.width(), experts = units.copies();
  const bool repairs = options_.chosenRepair() != Repair::none;
  if (width == before && !(repairs && pathsDiffer()))
    return success();
  if (options_.method == UnitMethod::first && !repairs) {
    differ_ = true;
    return cutChannels(rewriter_, units, Kept(firstIndices(width)), mask_);
  }
  if (mixture.getRouting().getWeightOnInput() && options_.needsActivations())
    return mixture.emitError("calibration does not know mixtures that weigh the input of an expert");

  const bool equations = repairs || options_.method == UnitMethod::obs, differ = pathsDiffer();
  const int64_t hiddenSize = cast<RankedTensorType>(mixture.getType()).getDimSize(1);
  const Joined joined = followSum(mixture.getResult()), denseJoined = followSum(denseMixture.getResult());
  const bool corrects = differ && joined.joins;
  std::vector<UnitStatistics> statistics(experts);
  std::vector<VectorD> absolute(experts, VectorD::Zero(before)); // sum over its tokens of |h|
  NormalEquations sums;
  if (equations)
    sums = NormalEquations(experts * before, hiddenSize);

  for (size_t chunk = 0; options_.needsActivations() && chunk < dense_.size(); ++chunk) {
    Activations known;
    known[denseMixture->getParentOfType<BlockOp>().getBody().getArgument(0)] = dense_[chunk];
    auto find = [&](Value value) -> const MatrixF * {
      if (failed(forward_.evaluate(value, windows_.length, known)))
        return nullptr;
      return &known.find(value)->second;
    };
    MatrixF target;
    if (equations) {
      const MatrixF *sum = find(corrects ? denseJoined.result : denseMixture.getResult());
      if (!sum)
        return failure();
      target = *sum;
    }
    const MatrixF *input = find(denseMixture.getInput());
    if (!input)
      return failure();
    MatrixF x = *input;
    MoeOp source = denseMixture;
    Value hidden = dense.hidden;
    if (differ) {
      known.clear();
      known[mixture->getParentOfType<BlockOp>().getBody().getArgument(0)] = pruned_[chunk];
      if (!find(mixture.getInput()))
        return failure();
      x = *find(mixture.getInput());
      source = mixture;
      hidden = units.hidden;
      if (corrects) {
        if (!find(mixture.getResult()) || !find(joined.result))
          return failure();
        target = (target - *find(joined.result)) / static_cast<float>(joined.factor) + *find(mixture.getResult());
      }
    }
    std::vector<ExpertTokens> tokens;
    if (failed(forward_.route(source, x, tokens)))
      return failure();
    std::vector<MatrixD> features(experts); // gate * h, [n, F]
    for (int64_t expert = 0; expert < experts; ++expert) {
      const ExpertTokens &given = tokens[expert];
      if (given.rows.empty())
        continue;
      MatrixF batch(given.rows.size(), x.cols()), h;
      for (size_t i = 0; i < given.rows.size(); ++i)
        batch.row(i) = x.row(given.rows[i]);
      if (failed(forward_.evaluateExpert(source, expert, hidden, std::move(batch), h)))
        return failure();
      statistics[expert].add(h, h.rows(), 0, 0, /*withGram=*/false);
      absolute[expert] += h.cast<double>().cwiseAbs().colwise().sum().transpose();
      if (equations)
        features[expert] =
            Eigen::Map<const Eigen::VectorXf>(given.gates.data(), given.gates.size()).cast<double>().asDiagonal() *
            h.cast<double>();
    }
    for (int64_t expert = 0; equations && expert < experts; ++expert) {
      const ExpertTokens &given = tokens[expert];
      if (given.rows.empty())
        continue;
      MatrixD wanted(given.rows.size(), hiddenSize);
      MatrixD spreadOut = MatrixD::Zero(x.rows(), before);
      for (size_t i = 0; i < given.rows.size(); ++i) {
        wanted.row(i) = target.row(given.rows[i]).cast<double>();
        spreadOut.row(given.rows[i]) = features[expert].row(i);
      }
      sums.cross.middleCols(expert * before, before).noalias() += wanted.transpose() * features[expert];
      for (int64_t other = expert; other < experts; ++other) {
        if (tokens[other].rows.empty())
          continue;
        MatrixD shared(tokens[other].rows.size(), before);
        for (size_t i = 0; i < tokens[other].rows.size(); ++i)
          shared.row(i) = spreadOut.row(tokens[other].rows[i]);
        const MatrixD block = shared.transpose() * features[other];
        sums.gram.block(expert * before, other * before, before, before) += block;
        if (other != expert)
          sums.gram.block(other * before, expert * before, before, before) += block.transpose();
      }
    }
  }

  Kept kept;
  std::vector<MatrixF> down(experts);
  for (int64_t expert = 0; expert < experts; ++expert) {
    const MatrixF *weight = forward_.weight(units.down.getWeight(), expert);
    if (!weight)
      return failure();
    down[expert] = *weight;
  }
  const double ridge = equations ? damping(sums.gram, options_.dampingShare()) : 0;
  MatrixD prior;
  if (options_.chosenRepair() == Repair::full) {
    prior.resize(hiddenSize, experts * before);
    for (int64_t expert = 0; expert < experts; ++expert)
      prior.middleCols(expert * before, before) = down[expert].cast<double>();
  }
  const MatrixD *towards = prior.size() ? &prior : nullptr;
  Indices columns; // of all experts side by side
  if (options_.method == UnitMethod::obs)
    columns = keepColumns(sums, width, std::max<int64_t>(1, before / 16), experts, ridge, towards);
  for (int64_t expert = 0; expert < experts; ++expert) {
    Indices list;
    if (options_.method == UnitMethod::obs) {
      for (int64_t i = 0; i < width; ++i)
        list.push_back(columns[expert * width + i] - expert * before);
    } else {
      UnitStatistics &own = statistics[expert];
      if (options_.needsActivations() && own.tokens == 0) // never routed to: nothing is known of it
        own.add(MatrixF::Zero(1, before), 1, 0, 0, false);
      if (options_.method == UnitMethod::activation)
        own.windowMeans = absolute[expert].cwiseAbs2(); // one mean over all its tokens
      list = options_.method == UnitMethod::first
                 ? firstIndices(width)
                 : keepLargest(channelScores(options_.method, own, down[expert]), width);
      for (int64_t i : list)
        columns.push_back(expert * before + i);
    }
    kept.lists.push_back(std::move(list));
  }
  MatrixF repairedDown, bias;
  if (repairs) {
    const MatrixD weight = fitColumns(sums, columns, ridge, towards).weight; // [D, E * width]
    const int64_t columnsLeft = mask_ ? before : width;
    repairedDown = MatrixF::Zero(experts * hiddenSize, columnsLeft); // [E, D, columns]
    for (int64_t expert = 0; expert < experts; ++expert)
      for (int64_t i = 0; i < width; ++i)
        repairedDown.block(expert * hiddenSize, mask_ ? kept.list(expert)[i] : i, hiddenSize, 1) =
            weight.col(expert * width + i).cast<float>();
  }
  if (options_.method == UnitMethod::flap) {
    bias.resize(experts, hiddenSize);
    for (int64_t expert = 0; expert < experts; ++expert) {
      VectorD gone = statistics[expert].mean();
      for (int64_t column : kept.list(expert))
        gone[column] = 0;
      bias.row(expert) = (down[expert].cast<double>() * gone).transpose().cast<float>();
      if (Value present = units.down.getBias()) {
        const MatrixF *values = forward_.weight(present, expert);
        if (!values)
          return failure();
        bias.row(expert) += values->col(0).transpose();
      }
    }
  }
  if (failed(cutChannels(rewriter_, units, kept, mask_)))
    return failure();
  rewriter_.setInsertionPoint(mixture);
  if (repairs) {
    auto slice = cast<RankedTensorType>(units.down.getWeight().getType());
    auto type = RankedTensorType::get({experts, slice.getDimSize(0), slice.getDimSize(1)}, slice.getElementType());
    Value stacked = repaired_.add(rewriter_, mixture.getLoc(), (name + ".experts.down.weight").str(), type,
                                  std::move(repairedDown), forward_);
    units.down.getWeightMutable().assign(mixture.addStacked(stacked));
  }
  if (bias.size()) {
    auto type = RankedTensorType::get({experts, hiddenSize}, rewriter_.getF32Type());
    Value stacked = repaired_.add(rewriter_, mixture.getLoc(), (name + ".experts.down.bias").str(), type,
                                  std::move(bias), forward_);
    units.down.getBiasMutable().assign(mixture.addStacked(stacked));
  }
  differ_ = true;
  return success();
}

} // namespace xfmr
