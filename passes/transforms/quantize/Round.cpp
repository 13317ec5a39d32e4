// The walk. Values of the current block are kept, chunk by chunk, on both paths: each is computed once, a matrix's input after
// everything before it has been rounded.
#include "passes/transforms/quantize/Round.h"

#include "passes/calibration/Cholesky.h"
#include "passes/calibration/LeastSquares.h"
#include "passes/calibration/Products.h"

#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace mlir;

namespace xfmr {
namespace {

constexpr int64_t kChunkWindows = 8;
constexpr int64_t kLeastTokens = 32; // of an expert, to be rounded by what reaches it

RankedTensorType quantised(RankedTensorType type, const QuantScheme &scheme) {
  return type.clone(QuantType::get(type.getContext(), scheme));
}

// The sum that a product's output joins, through scales: sum = factor * output + other.
struct Joined {
  Value sum, other;
  double factor = 1;
};
std::optional<Joined> joinedSum(Value output) {
  Joined joined;
  for (Value value = output; value.hasOneUse();) {
    Operation *user = *value.getUsers().begin();
    if (auto scale = dyn_cast<ScaleOp>(user)) {
      joined.factor *= scale.getFactor().convertToDouble();
    } else if (auto add = dyn_cast<AddOp>(user)) {
      joined.sum = add.getResult();
      joined.other = add.getLhs() == value ? add.getRhs() : add.getLhs();
      return joined;
    } else {
      return std::nullopt;
    }
    value = user->getResult(0);
  }
  return std::nullopt;
}

// W with the least sum |W x - t|^2 + ridge |W - W0|^2; cross = sum t x^T.
MatrixD refitted(const MatrixD &before, const MatrixD &gram, const MatrixD &cross, double share) {
  const double ridge = damping(gram, share);
  return Cholesky(gram, ridge).solve((cross + ridge * before).transpose()).transpose();
}

class TextWalk {
public:
  TextWalk(ModelOp model, const TextRounding &rounding, const WeightSources &sources, const TokenWindows &windows,
           QuantisedWeights &files, QuantCounts &counts)
      : model_(model), rounding_(rounding), forward_(sources), windows_(windows), files_(files), counts_(counts) {}

  LogicalResult run(const NameFilter &filter) {
    for (BlockOp block : SmallVector<BlockOp>(model_.getBody().getOps<BlockOp>())) {
      if (failed(enter(block)))
        return failure();
      IRMapping mapping;
      Operation *copy = block->clone(mapping);
      mapping_ = &mapping;
      LogicalResult done = roundBlock(block, cast<BlockOp>(copy), filter);
      if (succeeded(done))
        done = leave(block, cast<BlockOp>(copy));
      forward_.forgetWeights();
      grams_.clear();
      copy->erase();
      if (failed(done))
        return failure();
    }
    return success();
  }

private:
  Feedback feedback() const { return refits() ? Feedback::careful : Feedback::plain; }
  bool refits() const { return rounding_.method == QuantMethod::target; }

  LogicalResult enter(BlockOp block) {
    if (block.getInputs().size() != 1 || block.getNumResults() != 1)
      return block.emitError("calibration needs blocks of one input and one result");
    Value input = block.getInputs().front();
    if (!previous_) {
      for (int64_t first = 0; first < windows_.count(); first += kChunkWindows) {
        Activations known;
        known[model_.getTokens()] = windows_.column(first, kChunkWindows);
        if (failed(forward_.evaluate(input, windows_.length, known)))
          return failure();
        denseStream_.push_back(std::move(known.find(input)->second));
      }
      roundedStream_ = denseStream_;
      return success();
    }
    for (std::vector<MatrixF> *stream : {&denseStream_, &roundedStream_})
      for (MatrixF &chunk : *stream) {
        Activations known;
        known[previous_.getResult(0)] = std::move(chunk);
        if (failed(forward_.evaluate(input, windows_.length, known)))
          return failure();
        chunk = std::move(known.find(input)->second);
      }
    return success();
  }

  LogicalResult leave(BlockOp block, BlockOp copy) {
    for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
      Value denseOut = copy.getBody().front().getTerminator()->getOperand(0);
      Value out = block.getBody().front().getTerminator()->getOperand(0);
      if (failed(forward_.evaluate(denseOut, windows_.length, dense_[chunk])) ||
          failed(forward_.evaluate(out, windows_.length, rounded_[chunk])))
        return failure();
      denseStream_[chunk] = std::move(dense_[chunk].find(denseOut)->second);
      roundedStream_[chunk] = std::move(rounded_[chunk].find(out)->second);
    }
    dense_.clear();
    rounded_.clear();
    previous_ = block;
    return success();
  }

  LogicalResult roundBlock(BlockOp block, BlockOp copy, const NameFilter &filter) {
    dense_.resize(denseStream_.size());
    rounded_.resize(denseStream_.size());
    for (size_t chunk = 0; chunk < dense_.size(); ++chunk) {
      dense_[chunk][copy.getBody().getArgument(0)] = std::move(denseStream_[chunk]);
      rounded_[chunk][block.getBody().getArgument(0)] = std::move(roundedStream_[chunk]);
    }
    SmallVector<QuantSite> sites = findSites(block, filter);
    for (size_t i = 0; i < sites.size();) {
      SmallVector<QuantSite> together{sites[i++]};
      while (together.front().mixture && i < sites.size() && sites[i].mixture == together.front().mixture)
        together.push_back(sites[i++]);
      if (failed(together.front().mixture ? roundMixture(together) : roundOne(together.front())))
        return failure();
    }
    return success();
  }

  const MatrixF *get(std::vector<Activations> &path, size_t chunk, Value value) {
    if (failed(forward_.evaluate(value, windows_.length, path[chunk])))
      return nullptr;
    return &path[chunk].find(value)->second;
  }

  void count(const QuantScheme &scheme, int64_t rows, int64_t columns, int64_t copies) {
    counts_.matrices += copies;
    counts_.weights += copies * rows * columns;
    counts_.bits += static_cast<double>(copies * rows * columns) * scheme.bitsPerWeight(columns);
  }

  void report(QuantSite &site, const QuantScheme &scheme, double error, int64_t unreached = 0) {
    InFlightDiagnostic remark = site.op()->emitRemark("rounded \"")
                                << site.name << "\" to " << describe(scheme) << " by " << (refits() ? "target" : "gptq")
                                << ": error of its output " << llvm::formatv("{0:F6}", error).str();
    if (unreached)
      remark << ", " << unreached << " experts by search";
  }

  // What the dense model has where this product's result goes, less what others put there: [tokens, outputs], without bias.
  LogicalResult wanted(QuantSite &site, size_t chunk, const MatrixF &denseWeight, MatrixF &target) {
    std::optional<Joined> joined = isa<LinearOp>(site.op()) ? joinedSum(site.op()->getResult(0)) : std::nullopt;
    if (joined && !rounded_[chunk].count(joined->other))
      joined.reset(); // what others put there is not rounded yet
    if (!joined) {
      const MatrixF *x = get(dense_, chunk, mapping_->lookup(site.input()));
      if (!x)
        return failure();
      multiplyTransposed(*x, denseWeight, target);
      return success();
    }
    const MatrixF *sum = get(dense_, chunk, mapping_->lookup(joined->sum));
    if (!sum)
      return failure();
    target = *sum;
    target = (target - rounded_[chunk].find(joined->other)->second) / static_cast<float>(joined->factor);
    if (Value bias = site.bias()) {
      const MatrixF *values = forward_.weight(bias);
      if (!values)
        return failure();
      target.rowwise() -= values->col(0).transpose();
    }
    return success();
  }

  LogicalResult roundOne(QuantSite &site) {
    std::optional<QuantScheme> scheme = rounding_.schemeOf(site);
    if (!scheme)
      return success();
    Value denseValue = mapping_->lookup(site.op()->getResult(0)).getDefiningOp()->getOperand(1);
    const MatrixF *stored = forward_.weight(denseValue);
    if (!stored)
      return failure();
    const MatrixF denseWeight = *stored;
    MatrixD weight = denseWeight.cast<double>();
    const bool known = grams_.count(site.input());
    MatrixD gram = MatrixD::Zero(weight.cols(), weight.cols()), cross = MatrixD::Zero(weight.rows(), weight.cols());
    for (size_t chunk = 0; chunk < rounded_.size() && (!known || refits()); ++chunk) {
      MatrixF target;
      if (refits() && failed(wanted(site, chunk, denseWeight, target)))
        return failure();
      const MatrixF *x = get(rounded_, chunk, site.input());
      if (!x)
        return failure();
      const MatrixD wide = widened(*x, 0, x->rows());
      if (!known)
        addGram(wide, gram);
      if (refits())
        addCross(widened(target, 0, target.rows()), wide, cross);
    }
    if (known)
      gram = grams_[site.input()];
    else
      grams_[site.input()] = gram;
    if (refits())
      weight = refitted(weight, gram, cross, rounding_.damping);
    RoundedMatrix rounded = roundWithFeedback(weight, gram, rounding_.damping, *scheme, feedback());
    const double error = outputError(denseWeight.cast<double>(), rounded.values, gram);
    OpBuilder builder(site.op());
    auto type = cast<RankedTensorType>(site.value().getType());
    Value value =
        files_.add(builder, site.op()->getLoc(), site.name, quantised(type, *scheme), std::move(rounded.bytes));
    forward_.provide(value, std::move(rounded.values));
    site.weight->set(value);
    count(*scheme, weight.rows(), weight.cols(), 1);
    report(site, *scheme, error);
    return success();
  }

  // The experts one after the other, each by the tokens that the rounded model sends it; what it should give for them is
  // what the dense expert gives.
  LogicalResult roundMixture(MutableArrayRef<QuantSite> sites) {
    MoeOp mixture = sites.front().mixture;
    auto dense = mapping_->lookup(mixture.getResult()).getDefiningOp<MoeOp>();
    const int64_t experts = mixture.getNumExperts();
    const bool onInput = mixture.getRouting().getWeightOnInput();
    std::vector<MatrixF> batches(experts);
    {
      std::vector<std::vector<float>> rows(experts);
      int64_t width = 0;
      for (size_t chunk = 0; chunk < rounded_.size(); ++chunk) {
        const MatrixF *x = get(rounded_, chunk, mixture.getInput());
        std::vector<ExpertTokens> tokens;
        if (!x || failed(forward_.route(mixture, *x, tokens)))
          return failure();
        width = x->cols();
        for (int64_t expert = 0; expert < experts; ++expert)
          for (size_t i = 0; i < tokens[expert].rows.size(); ++i) {
            const float factor = onInput ? tokens[expert].gates[i] : 1.0f;
            for (Eigen::Index c = 0; c < width; ++c)
              rows[expert].push_back((*x)(tokens[expert].rows[i], c) * factor);
          }
      }
      for (int64_t expert = 0; expert < experts; ++expert) {
        batches[expert] = Eigen::Map<MatrixF>(rows[expert].data(), rows[expert].size() / width, width);
        rows[expert] = {};
      }
    }
    std::vector<std::optional<QuantScheme>> schemes;
    for (QuantSite &site : sites)
      schemes.push_back(rounding_.schemeOf(site));
    std::vector<std::vector<uint8_t>> bytes(sites.size());
    std::vector<double> errors(sites.size(), 0);
    int64_t unreached = 0;
    for (int64_t expert = 0; expert < experts; ++expert) {
      const MatrixF &batch = batches[expert];
      const bool reached = batch.rows() >= kLeastTokens;
      unreached += !reached;
      for (auto [index, site] : llvm::enumerate(sites)) {
        if (!schemes[index])
          continue;
        Operation *denseOp = mapping_->lookup(site.op()->getResult(0)).getDefiningOp();
        const MatrixF *stored = forward_.weight(denseOp->getOperand(1), expert);
        if (!stored)
          return failure();
        const MatrixF denseWeight = *stored;
        RoundedMatrix rounded;
        if (!reached) {
          rounded = roundMatrix(denseWeight, *schemes[index], QuantRule::search);
        } else {
          MatrixF x;
          MatrixD weight = denseWeight.cast<double>(), gram = MatrixD::Zero(weight.cols(), weight.cols());
          if (failed(forward_.evaluateExpert(mixture, expert, site.input(), batch, x)))
            return failure();
          const MatrixD wide = widened(x, 0, x.rows());
          addGram(wide, gram);
          if (refits() && site.input() != mixture.getTokenBatch()) {
            MatrixF denseX;
            if (failed(forward_.evaluateExpert(dense, expert, denseOp->getOperand(0), batch, denseX)))
              return failure();
            MatrixF target;
            multiplyTransposed(denseX, denseWeight, target);
            MatrixD cross = MatrixD::Zero(weight.rows(), weight.cols());
            addCross(widened(target, 0, target.rows()), wide, cross);
            weight = refitted(weight, gram, cross, rounding_.damping);
          }
          rounded = roundWithFeedback(weight, gram, rounding_.damping, *schemes[index], feedback());
          errors[index] += outputError(denseWeight.cast<double>(), rounded.values, gram);
        }
        bytes[index].insert(bytes[index].end(), rounded.bytes.begin(), rounded.bytes.end());
        forward_.provide(site.value(), std::move(rounded.values), expert);
      }
    }
    for (auto [index, site] : llvm::enumerate(sites)) {
      if (!schemes[index])
        continue;
      auto slice = cast<BlockArgument>(site.value());
      auto type = cast<RankedTensorType>(slice.getType());
      OpOperand &stacked = mixture.getExpertsMutable()[slice.getArgNumber() - 1];
      OpBuilder builder(mixture);
      stacked.set(files_.add(builder, site.op()->getLoc(), site.name,
                             quantised(cast<RankedTensorType>(stacked.get().getType()), *schemes[index]),
                             std::move(bytes[index])));
      slice.setType(quantised(type, *schemes[index]));
      count(*schemes[index], type.getDimSize(0), type.getDimSize(1), experts);
      counts_.unreached += unreached;
      report(site, *schemes[index], errors[index] / static_cast<double>(std::max<int64_t>(1, experts - unreached)),
             unreached);
    }
    return success();
  }

  ModelOp model_;
  const TextRounding &rounding_;
  Forward forward_;
  const TokenWindows &windows_;
  QuantisedWeights &files_;
  QuantCounts &counts_;
  IRMapping *mapping_ = nullptr;                     // from the block to its dense copy
  std::vector<MatrixF> denseStream_, roundedStream_; // between blocks, a matrix a chunk
  std::vector<Activations> dense_, rounded_;         // inside of one
  DenseMap<Value, MatrixD> grams_;
  BlockOp previous_;
};

} // namespace

void quantiseInPlace(QuantSite &site, const QuantScheme &scheme, QuantRule rule, QuantCounts &counts) {
  auto round = [&](OpBuilder builder, Value weight) {
    auto type = quantised(cast<RankedTensorType>(weight.getType()), scheme);
    return WeightQuantizeOp::create(builder, site.op()->getLoc(), type, weight, rule);
  };
  auto type = cast<RankedTensorType>(site.value().getType());
  int64_t copies = 1;
  if (site.mixture) {
    auto slice = cast<BlockArgument>(site.value());
    OpOperand &stacked = site.mixture.getExpertsMutable()[slice.getArgNumber() - 1];
    stacked.set(round(OpBuilder(site.mixture), stacked.get()));
    slice.setType(quantised(type, scheme));
    copies = site.mixture.getNumExperts();
  } else {
    site.weight->set(round(OpBuilder(site.op()), site.value()));
  }
  counts.matrices += copies;
  counts.weights += copies * type.getNumElements();
  counts.bits += static_cast<double>(copies * type.getNumElements()) * scheme.bitsPerWeight(type.getDimSize(1));
  site.op()->emitRemark("rounded \"") << site.name << "\" to " << describe(scheme) << " by "
                                      << stringifyQuantRule(rule);
}

LogicalResult roundByText(ModelOp model, const NameFilter &filter, const TextRounding &rounding,
                          const WeightSources &sources, const TokenWindows &windows, QuantisedWeights &files,
                          QuantCounts &counts) {
  return TextWalk(model, rounding, sources, windows, files, counts).run(filter);
}

} // namespace xfmr
