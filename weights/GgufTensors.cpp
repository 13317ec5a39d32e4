// One view a tensor; nothing is read.
#include "weights/GgufTensors.h"
#include "weights/GgufBlocks.h"

namespace xfmr {

Status GgufTensors::open(const std::string &path, GgufTensors &out) {
  if (Status status = GgufFile::open(path, out.file_); status.failed())
    return status;
  for (const GgufTensor &tensor : out.file_.tensors()) {
    TensorView view;
    view.name = tensor.name;
    view.shape = tensor.shape;
    view.data = tensor.data;
    view.byteSize = tensor.byteSize;
    switch (tensor.type) {
    case uint32_t(GgufType::f32): view.dtype = DType::f32; break;
    case uint32_t(GgufType::f16): view.dtype = DType::f16; break;
    case uint32_t(GgufType::bf16): view.dtype = DType::bf16; break;
    default:
      if (!ggufScheme(tensor.type))
        return Status::error("tensor \"" + tensor.name + "\" in \"" + path + "\" has type " + ggufTypeName(tensor.type) +
                             ", supported: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, "
                             "IQ4_NL, IQ4_XS, MXFP4");
      view.dtype = DType::u8;
      view.blocks = tensor.type;
    }
    out.tensors_.push_back(std::move(view));
  }
  return Status::success();
}

} // namespace xfmr
