// Every pass over the pure dialect: flag, statistics, what it does, what it refuses, before ==> after.
// A pass on `xfmr.block` runs on all blocks in parallel; PassRegistry.cpp nests it, see docs/AddingAPass.md.
#ifndef XFMR_PASSES
#define XFMR_PASSES

include "mlir/Pass/PassBase.td"

def XfmrFuseGlu : Pass<"xfmr-fuse-glu", "::xfmr::BlockOp"> {
  let summary = "fuse gate and up projections into xfmr.glu";
  let description = [{
    What: `act(x Wg^T + bg) * (x Wu^T + bu)` becomes one `xfmr.glu` over the two weights one above the
    other, so that x is read once and the activation and product need no pass over memory of their own.
    Works in every region below the block, experts included. Exact.

    When: always; a backend that wants them apart can slice the packed weight.

    Refuses, with a remark: a gate or up that is not a plain linear, gate and up of different inputs, an
    intermediate that is also used elsewhere, weights or biases of different element types, a bias on only one of the two.

    ```mlir
    %g = xfmr.linear %x, %wg : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %a = xfmr.activation silu %g : tensor<?x8xf32>
    %u = xfmr.linear %x, %wu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %y = xfmr.mul %a, %u : tensor<?x8xf32>
    // ==>
    %w = xfmr.weight_concat %wg, %wu axis 0 : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<16x4xf32>
    %y = xfmr.glu silu %x, %w layout concat : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x8xf32>
    ```
  }];
  let statistics = [Statistic<"fused", "fused", "gate and up pairs fused">,
                    Statistic<"skipped", "skipped", "near misses left alone, each with a remark">];
}

#endif // XFMR_PASSES
