// First the whole stream is followed and everything that touches it listed; then weights are replaced.
#include "passes/transforms/quantize/Rotate.h"

#include "passes/calibration/ModelData.h"
#include "passes/calibration/Parallel.h"
#include "passes/transforms/quantize/Sites.h"
#include "weights/Expressions.h"

#include <cmath>
#include <random>
#include <set>

using namespace mlir;

namespace xfmr {
namespace {

class Rotation {
public:
  explicit Rotation(int64_t width) : block_(width & -width) {
    std::mt19937 generator(1); // any signs do; the same ones every time
    for (int64_t i = 0; i < width; ++i)
      signs_.push_back(generator() & 1 ? 1.0f : -1.0f);
  }

  /// W Q^T.
  void read(MatrixF &weight) const {
    parallelRows(weight.rows(), 16, [&](int64_t first, int64_t count) {
      for (int64_t row = first; row < first + count; ++row)
        turn(weight.row(row).data());
    });
  }
  /// Q W of each of `copies` matrices [width, k] one above the other.
  void write(MatrixF &weight, int64_t copies) const {
    const int64_t width = weight.rows() / copies;
    for (int64_t copy = 0; copy < copies; ++copy) {
      MatrixF part = weight.middleRows(copy * width, width).transpose();
      read(part);
      weight.middleRows(copy * width, width) = part.transpose();
    }
  }

private:
  void turn(float *values) const {
    const auto width = static_cast<int64_t>(signs_.size());
    for (int64_t i = 0; i < width; ++i)
      values[i] *= signs_[i];
    const float scale = 1 / std::sqrt(static_cast<float>(block_));
    for (int64_t at = 0; at < width; at += block_) {
      for (int64_t half = 1; half < block_; half *= 2)
        for (int64_t i = at; i < at + block_; i += 2 * half)
          for (int64_t j = i; j < i + half; ++j) {
            const float a = values[j], b = values[j + half];
            values[j] = a + b;
            values[j + half] = a - b;
          }
      for (int64_t i = at; i < at + block_; ++i)
        values[i] *= scale;
    }
  }

  int64_t block_;
  std::vector<float> signs_;
};

class StreamRotation {
public:
  StreamRotation(ModelOp model, RepairedWeights &files) : model_(model), forward_(sources_), files_(files) {}

  LogicalResult run() {
    for (EmbeddingOp embedding : model_.getBody().getOps<EmbeddingOp>()) {
      if (embedding.getPositions())
        return refuse(embedding, "it adds positions");
      tables_.push_back(embedding);
      if (failed(follow(embedding.getResult())))
        return failure();
    }
    if (tables_.size() != 1)
      return model_.emitError("hadamard=true: expected one embedding, found ") << tables_.size();
    if (Status status = openSources(model_, sources_); status.failed())
      return model_.emitError(status.message());
    const int64_t width = weightColumns(tables_.front().getTable().getType());
    Rotation rotation(width);
    for (EmbeddingOp embedding : tables_)
      if (failed(replace(embedding, embedding.getTableMutable(), [&](MatrixF &w) { rotation.read(w); })))
        return failure();
    for (Operation *writer : writers_)
      if (failed(replaceWriter(writer, rotation)))
        return failure();
    for (RmsNormOp norm : norms_)
      if (failed(replaceReaders(norm, rotation)))
        return failure();
    return success();
  }

private:
  LogicalResult refuse(Operation *op, const Twine &why) {
    return op->emitError("hadamard=true: the residual stream cannot be rotated: ") << why;
  }

  // Everything that reads `value`, a value of the stream.
  LogicalResult follow(Value value) {
    if (!stream_.insert(value).second)
      return success();
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
      Operation *user = use.getOwner();
      LogicalResult done = success();
      if (auto norm = dyn_cast<RmsNormOp>(user)) {
        if (cast<ShapedType>(norm.getWeight().getType()).getDimSize(0) !=
            cast<ShapedType>(value.getType()).getShape().back())
          return refuse(norm, "a norm of its parts reads it");
        norms_.push_back(norm);
      } else if (auto add = dyn_cast<AddOp>(user)) {
        Value other = add.getLhs() == value ? add.getRhs() : add.getLhs();
        if (!stream_.contains(other) && failed(addWriters(other)))
          return failure();
        done = follow(add.getResult());
      } else if (auto scale = dyn_cast<ScaleOp>(user)) {
        done = follow(scale.getResult());
      } else if (auto block = dyn_cast<BlockOp>(user)) {
        done = follow(block.getBody().getArgument(use.getOperandNumber()));
      } else if (isa<YieldOp>(user) && isa<BlockOp>(user->getParentOp())) {
        done = follow(user->getParentOp()->getResult(use.getOperandNumber()));
      } else {
        return refuse(user, "an op that is no norm, sum or scale reads it");
      }
      if (failed(done))
        return failure();
    }
    return success();
  }

  // What is added to the stream: products, weighted and summed.
  LogicalResult addWriters(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || !value.hasOneUse())
      return refuse(op ? op : value.getParentBlock()->getParentOp(), "what is added to it has other uses");
    if (isa<LinearOp, MoeOp>(op))
      return writers_.push_back(op), success();
    if (isa<ScaleOp, RowScaleOp>(op))
      return addWriters(op->getOperand(0));
    if (isa<AddOp>(op))
      return failed(addWriters(op->getOperand(0))) ? failure() : addWriters(op->getOperand(1));
    return refuse(op, "what is added to it is no product");
  }

  // A new f32 weight in place of the operand, of its value as `change` makes it.
  LogicalResult replace(Operation *op, OpOperand &operand, llvm::function_ref<void(MatrixF &)> change) {
    const MatrixF *stored = forward_.weight(operand.get());
    if (!stored)
      return failure();
    MatrixF value = *stored;
    change(value);
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(operand.get().getType()).clone(builder.getF32Type());
    const std::string name = tensorNamesOf(operand.get()).front();
    operand.set(files_.add(builder, op->getLoc(), unused(name), type, std::move(value), forward_));
    return success();
  }
  std::string unused(const std::string &name) {
    std::string result = name;
    for (int number = 2; !names_.insert(result).second; ++number)
      result = name + "#" + std::to_string(number);
    return result;
  }

  // The weight of a product in an expert region: all experts of its stacked weight.
  LogicalResult replaceStacked(MoeOp mixture, OpOperand &use, llvm::function_ref<void(MatrixF &)> change) {
    auto slice = dyn_cast<BlockArgument>(use.get());
    if (!slice || !mixture.getStacked(slice))
      return refuse(use.getOwner(), "the matrix of an expert is an expression over slices");
    if (!changed_.insert(slice).second)
      return refuse(use.getOwner(), "two products share a matrix");
    OpOperand &stacked = mixture.getExpertsMutable()[slice.getArgNumber() - 1];
    if (failed(replace(mixture, stacked, change)))
      return failure();
    slice.setType(cast<RankedTensorType>(slice.getType()).clone(Float32Type::get(model_.getContext())));
    return success();
  }

  LogicalResult replaceWriter(Operation *op, const Rotation &rotation) {
    auto bias = [&](Operation *at, OpOperand &operand) {
      return replace(at, operand, [&](MatrixF &b) { rotation.write(b, 1); });
    };
    if (auto linear = dyn_cast<LinearOp>(op)) {
      if (failed(replace(op, linear.getWeightMutable(), [&](MatrixF &w) { rotation.write(w, 1); })))
        return failure();
      return linear.getBias() ? bias(op, *linear.getBiasMutable().begin()) : success();
    }
    auto mixture = cast<MoeOp>(op);
    auto out = mixture.getExpert().front().getTerminator()->getOperand(0).getDefiningOp<LinearOp>();
    if (!out)
      return refuse(mixture, "its experts end in no product");
    const int64_t experts = mixture.getNumExperts();
    if (failed(replaceStacked(mixture, out->getOpOperand(1), [&](MatrixF &w) { rotation.write(w, experts); })))
      return failure();
    // Biases [E, D] are rows.
    return out.getBias() ? replaceStacked(mixture, out->getOpOperand(2), [&](MatrixF &b) { rotation.read(b); })
                         : success();
  }

  LogicalResult replaceReaders(RmsNormOp norm, const Rotation &rotation) {
    const MatrixF *stored = forward_.weight(norm.getWeight());
    if (!stored)
      return failure();
    Eigen::RowVectorXf gain = stored->col(0).transpose();
    if (norm.getUnitOffset())
      gain.array() += 1;
    auto change = [&](MatrixF &w) {
      w.array().rowwise() *= gain.array();
      rotation.read(w);
    };
    for (OpOperand &use : llvm::make_early_inc_range(norm.getResult().getUses())) {
      Operation *user = use.getOwner();
      if (isa<LinearOp, GluOp>(user) && use.getOperandNumber() == 0) {
        if (failed(replace(user, user->getOpOperand(1), change)))
          return failure();
        continue;
      }
      auto mixture = dyn_cast<MoeOp>(user);
      if (!mixture)
        return refuse(user, "an op that is no product reads it through a norm");
      if (failed(replace(mixture, mixture.getRouterMutable(), change)))
        return failure();
      for (OpOperand &inner : llvm::make_early_inc_range(mixture.getTokenBatch().getUses()))
        if (!isa<LinearOp, GluOp>(inner.getOwner()) || inner.getOperandNumber() != 0)
          return refuse(inner.getOwner(), "an op that is no product reads it in an expert");
        else if (failed(replaceStacked(mixture, inner.getOwner()->getOpOperand(1), change)))
          return failure();
    }
    return replace(norm, norm.getWeightMutable(),
                   [&](MatrixF &g) { g.setConstant(norm.getUnitOffset() ? 0.0f : 1.0f); });
  }

  ModelOp model_;
  WeightSources sources_;
  Forward forward_;
  RepairedWeights &files_;
  llvm::SmallDenseSet<Value> stream_, changed_;
  std::vector<EmbeddingOp> tables_;
  std::vector<Operation *> writers_;
  std::vector<RmsNormOp> norms_;
  std::set<std::string> names_;
};

} // namespace

LogicalResult rotateStream(ModelOp model, RepairedWeights &files) {
  return StreamRotation(model, files).run();
}

} // namespace xfmr
