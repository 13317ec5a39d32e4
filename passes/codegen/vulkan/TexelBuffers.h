// Bindings that are read as uniform texel buffers, four 32-bit words a texel, instead of storage buffers: SampledBuffer and
// OpImageFetch of a vector of four u32, whatever the elements are. Mesa's software driver loads from storage buffers in a loop
// over the invocations, with a branch for each word, but fetches the texels of all of them at once.
#pragma once
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

namespace xfmr::codegen {

// Turns the variables that `kTexelBindings` of the module lists, and every load from them, into that. They are arrays of
// vectors of four f32 or u32, as KernelBuilder::readAsTexels has seen to, and nothing is stored to them.
void readTexels(mlir::spirv::ModuleOp module);

} // namespace xfmr::codegen
