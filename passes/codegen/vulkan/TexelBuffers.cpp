// From storage buffers to texel buffers; see TexelBuffers.h.
#include "passes/codegen/vulkan/TexelBuffers.h"
#include "passes/codegen/vulkan/ToSpirv.h"

using namespace mlir;

namespace xfmr::codegen {
namespace {

// The buffer's elements are the second index: the first is the member of the block.
void fetch(spirv::LoadOp load, spirv::AccessChainOp chain, spirv::AddressOfOp texels, VectorType words) {
  OpBuilder b(load);
  Value image = spirv::LoadOp::create(b, load.getLoc(), texels.getPointer());
  Value texel = spirv::ImageFetchOp::create(b, load.getLoc(), words, image, chain.getIndices()[1],
                                            spirv::ImageOperandsAttr(), ValueRange());
  if (load.getType() != words)
    texel = spirv::BitcastOp::create(b, load.getLoc(), load.getType(), texel);
  load.replaceAllUsesWith(texel);
  load.erase();
}

void readTexels(spirv::ModuleOp module, spirv::GlobalVariableOp variable) {
  Type word = IntegerType::get(module.getContext(), 32);
  auto image = spirv::ImageType::get(word, spirv::Dim::Buffer, spirv::ImageDepthInfo::NoDepth,
                                     spirv::ImageArrayedInfo::NonArrayed, spirv::ImageSamplingInfo::SingleSampled,
                                     spirv::ImageSamplerUseInfo::NeedSampler);
  auto pointer = spirv::PointerType::get(image, spirv::StorageClass::UniformConstant);
  variable.setType(pointer);
  module.walk([&](spirv::AddressOfOp address) {
    if (address.getVariable() != variable.getSymName())
      return;
    OpBuilder b(address);
    auto texels = spirv::AddressOfOp::create(b, address.getLoc(), pointer, variable.getSymName());
    for (Operation *user : llvm::make_early_inc_range(address->getUsers())) {
      auto chain = cast<spirv::AccessChainOp>(user);
      for (Operation *load : llvm::make_early_inc_range(chain->getUsers()))
        fetch(cast<spirv::LoadOp>(load), chain, texels, VectorType::get({4}, word));
      chain.erase();
    }
    address.erase();
  });
}

} // namespace

void readTexels(spirv::ModuleOp module) {
  eachListed(module, kTexelBindings, [&](spirv::GlobalVariableOp variable) { readTexels(module, variable); });
}

} // namespace xfmr::codegen
