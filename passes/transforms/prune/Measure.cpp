// Sums over a text, of one projection or of all experts of a mixture.
#include "passes/transforms/prune/Measure.h"

#include "passes/calibration/Products.h"

using namespace mlir;

namespace xfmr {
namespace {

int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

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

} // namespace

LogicalResult measure(PruneStreams &streams, PrunedModule &module, bool withGram, UnitStatistics *statistics,
                      NormalEquations *sums) {
  const int64_t width = widthOf(module.hidden), outputs = widthOf(module.out.getResult());
  if (streams.statistics()) {
    const UnitStatistics *stored = nullptr;
    if (Status status = streams.statistics()->find(module.name, width, stored); status.failed())
      return module.out.emitError(status.message());
    const int64_t heads = module.headDim ? width / module.headDim : 0, groups = heads ? heads / module.groupSize : 0;
    if (stored->headNorms.size() != heads || stored->groupNorms.size() != groups)
      return module.out.emitError() << "the statistics describe " << stored->headNorms.size() << " heads in "
                                    << stored->groupNorms.size() << " groups of \"" << module.name << "\", found " << heads
                                    << " in " << groups;
    if ((withGram || sums) && stored->gram.size() == 0)
      return module.out.emitError() << "the statistics hold no Gram matrix of \"" << module.name << "\"";
    if (statistics)
      *statistics = *stored;
    if (!sums)
      return success();
    const MatrixF *weight = streams.forward().weight(module.out.getWeight());
    if (!weight)
      return failure();
    sums->gram = stored->gram; // the outputs are the weight's own
    sums->cross = multiply(weight->cast<double>(), stored->gram);
    sums->targetSquares = sums->cross.cwiseProduct(weight->cast<double>()).sum();
    return success();
  }
  if (sums)
    *sums = NormalEquations(width, outputs);
  for (size_t chunk = 0; chunk < streams.chunks(); ++chunk) {
    if (statistics) {
      MatrixF x;
      if (failed(streams.dense(chunk, module.denseHidden, x)))
        return failure();
      statistics->add(x, streams.window(), module.headDim, module.groupSize, withGram);
    }
    if (!sums)
      continue;
    MatrixF target, inputs;
    if (failed(streams.wantedOutput(chunk, module.out.getResult(), module.denseOut.getResult(), module.hidden,
                            module.denseHidden, target, inputs)))
      return failure();
    if (Value bias = module.out.getBias()) {
      const MatrixF *values = streams.forward().weight(bias);
      if (!values)
        return failure();
      target.rowwise() -= values->col(0).transpose();
    }
    sums->add(inputs, target);
  }
  return success();
}

LogicalResult measureMixture(PruneStreams &streams, FeedForwardUnits &units, FeedForwardUnits &dense, bool equations,
                             bool outputs, MixtureSums &sums) {
  MoeOp mixture = units.mixture, denseMixture = dense.mixture;
  if (mixture.getRouting().getWeightOnInput())
    return mixture.emitError("calibration does not know mixtures that weigh the input of an expert");
  const int64_t width = units.width(), experts = mixture.getNumExperts();
  const bool differ = streams.differ();
  MoeOp source = differ ? mixture : denseMixture;
  Value hidden = differ ? units.hidden : dense.hidden;
  Value yielded = source.getExpert().front().getTerminator()->getOperand(0);
  Value denseOutput = denseMixture ? Value(denseMixture.getResult()) : Value(dense.down.getResult());
  Value denseInput = denseMixture ? denseMixture.getInput() : Value(); // read where the paths do not differ
  sums.experts.assign(experts, {});
  sums.gatedNorms.assign(experts, 0);
  if (equations)
    sums.equations = NormalEquations(experts * width, cast<RankedTensorType>(mixture.getType()).getDimSize(1));
  std::vector<VectorD> absolute(experts, VectorD::Zero(width)); // sum over its tokens of |h|
  for (size_t chunk = 0; chunk < streams.chunks(); ++chunk) {
    MatrixF target, x;
    if (failed(streams.wantedOutput(chunk, mixture.getResult(), denseOutput, mixture.getInput(), denseInput, target, x)))
      return failure();
    std::vector<ExpertTokens> tokens;
    if (failed(streams.forward().route(source, x, tokens)))
      return failure();
    std::vector<MatrixD> features(experts);
    for (int64_t expert = 0; expert < experts; ++expert) {
      const ExpertTokens &given = tokens[expert];
      if (given.rows.empty())
        continue;
      const MatrixF batch = rowsAt(x, given.rows);
      const VectorD gates = Eigen::Map<const Eigen::VectorXf>(given.gates.data(), given.gates.size()).cast<double>();
      MatrixF h;
      if (failed(streams.forward().evaluateExpert(source, expert, hidden, batch, h)))
        return failure();
      sums.experts[expert].add(h, h.rows(), 0, 0, /*withGram=*/false);
      absolute[expert] += h.cast<double>().cwiseAbs().colwise().sum().transpose();
      features[expert] = gates.asDiagonal() * h.cast<double>();
      if (outputs) {
        if (failed(streams.forward().evaluateExpert(source, expert, yielded, batch, h)))
          return failure();
        sums.gatedNorms[expert] += gates.dot(h.rowwise().norm().cast<double>());
      }
      // What a bias of down contributes is not the features' to make up.
      if (Value bias = equations ? units.down.getBias() : Value()) {
        const MatrixF *values = streams.forward().weight(bias, expert);
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

LogicalResult storedMixture(PruneStreams &streams, FeedForwardUnits &units, StringRef name, MixtureSums &sums) {
  for (int64_t expert = 0; expert < units.copies(); ++expert) {
    const UnitStatistics *stored = nullptr;
    if (Status status = streams.statistics()->find((name + "." + Twine(expert)).str(), units.width(), stored);
        status.failed())
      return units.mixture.emitError(status.message());
    sums.experts.push_back(*stored);
  }
  return success();
}

} // namespace xfmr
