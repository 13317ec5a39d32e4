// Kernels as attributes (Kernels.td): the types their interfaces speak of, and the attribute of a spec or of params.
// Included by dialect/Xfmr.h, which everyone else includes.
#pragma once
#include "mlir/IR/Attributes.h"
#include "passes/codegen/AllKernels.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/Cost.h"
#include "passes/codegen/Work.h"

namespace xfmr {

/// How a dispatch starts on Vulkan.
struct VulkanLaunch {
  std::vector<uint32_t> push;
  std::array<uint32_t, 3> grid;
};

/// Why `params` do not go with a kernel of another family.
std::string otherFamily(mlir::Attribute params, mlir::Attribute kernel);

enum class ActivationKind : uint32_t;
/// The kernels' activation of a kind.
codegen::Activation kernelActivation(ActivationKind kind);

} // namespace xfmr

#include "dialect/kernels/Interfaces.h.inc"
