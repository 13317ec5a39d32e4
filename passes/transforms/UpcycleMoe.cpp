// xfmr-upcycle-moe: dense feed-forward networks become mixtures of equal experts, which give what the network gave.
#include "passes/MoePasses.h"

#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/DenseToMoe.h"
#include "passes/transforms/PruneUnits.h"
#include "weights/Summary.h"

#include "llvm/Support/FormatVariadic.h"

#include <random>

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRUPCYCLEMOE
#include "passes/MoePasses.h.inc"

namespace {

struct UpcycleMoe : impl::XfmrUpcycleMoeBase<UpcycleMoe> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(upcycle(getOperation())))
      signalPassFailure();
  }

  LogicalResult upcycle(ModelOp model) {
    const ExpertShape shape{experts, topK};
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    SmallVector<DenseNetwork> networks;
    if (failed(blocks) || failed(checkShape(model, shape)))
      return failure();
    if (!(router >= 0) || std::isinf(router))
      return model.emitError("router is ") << double(router) << ", expected a finite number of 0 or more";
    if (failed(findDenseNetworks(model, *blocks, networks)))
      return failure();

    IRRewriter rewriter(model.getContext());
    WeightSources none;
    Forward forward(none);
    RepairedWeights written(model, "upcycled");
    std::mt19937_64 random(uint64_t{seed}); // its numbers are fixed by the standard, those of distributions are not
    for (DenseNetwork &network : networks) {
      const int64_t width = network.units.width();
      auto block = network.units.down->getParentOfType<BlockOp>();
      MoeOp mixture = makeMixture(rewriter, network, shape).mixture;
      if (router > 0) {
        rewriter.setInsertionPoint(mixture);
        auto type = cast<RankedTensorType>(mixture.getRouter().getType());
        MatrixF rows(type.getDimSize(0), type.getDimSize(1));
        for (Eigen::Index i = 0; i < rows.size(); ++i) // even in [-√3, √3] times router: that standard deviation
          rows.data()[i] =
              static_cast<float>(router * std::sqrt(3.0) * (static_cast<double>(random() >> 11) * 0x1p-52 - 1));
        mixture.getRouterMutable().assign(written.add(rewriter, mixture.getLoc(),
                                                      moduleName(block, "ffn", 0) + ".router.weight", type,
                                                      std::move(rows), forward));
      }
      mixture.emitRemark("layer ") << block.getLayer() << ": " << shape.experts << " copies of a network of " << width
                                   << " channels, " << shape.topK << " a token";
      eraseDeadWeights(block);
      ++upcycled;
    }
    if (!written.empty())
      if (Status status = written.write(model, out); status.failed())
        return model.emitError(status.message());
    summarise(
        &getContext(),
        llvm::formatv("{0}: {1} networks upcycled to {2} experts each, {3} a token: outputs stay, a token meets {3} "
                      "times the weights",
                      getArgument(), networks.size(), shape.experts, shape.topK)
            .str());
    return success();
  }
};

} // namespace
} // namespace xfmr
