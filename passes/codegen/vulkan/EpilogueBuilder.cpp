#include "passes/codegen/vulkan/EpilogueBuilder.h"
#include "passes/codegen/vulkan/Math.h"

namespace xfmr::codegen {
namespace {
enum Word : uint32_t { kBiasOffset, kResidualOffset, kResidualStride, kScale, kSoftcap };
}

void EpilogueBuilder::appendElements(std::vector<Element> &elements, const Epilogue &epilogue) {
  if (epilogue.bias)
    elements.push_back(Element::F32x4);
  if (epilogue.residual)
    elements.push_back(outElement(epilogue));
}

Element EpilogueBuilder::outElement(const Epilogue &epilogue) {
  return epilogue.glu ? Element::F32x2 : Element::F32x4;
}

void EpilogueBuilder::store(Value at, Value sums, Value block, Value row, Value weightBlocks) {
  if (!epilogue.glu)
    return k.buffer("out").store(at, apply(sums, block, row));
  Values v = k.choose(
      block < weightBlocks, [&] { return Values{apply(sums, block, row)}; },
      [&] { return Values{k.vector2(k.f32(0), k.f32(0))}; });
  k.buffer("out").store(at, v[0]);
}

Value EpilogueBuilder::outBlocks(Value n) const {
  return epilogue.glu ? (((n >> 1) + 7) >> 3) << 2 : ((n + 7) >> 3) << 1;
}

EpilogueBuilder::EpilogueBuilder(KernelBuilder &builder, const Epilogue &epilogue,
                                 uint32_t firstWord)
    : k(builder), epilogue(epilogue), firstWord(firstWord) {
}

Value EpilogueBuilder::apply(Value v, Value block, Value row) {
  if (epilogue.bias)
    v = v + k.buffer("bias")[(k.push(firstWord + kBiasOffset) >> 2) + block];
  if (epilogue.glu)
    v = activation(epilogue.activation, k.shuffle(v, v, {0, 2})) * k.shuffle(v, v, {1, 3});
  else
    v = activation(epilogue.activation, v);
  if (epilogue.scale)
    v = v * k.pushFloat(firstWord + kScale);
  if (epilogue.softcap)
    v = softcap(v, k.pushFloat(firstWord + kSoftcap));
  if (epilogue.residual) {
    Value offset = elements(k.push(firstWord + kResidualOffset));
    Value stride = elements(k.push(firstWord + kResidualStride));
    v = v + k.buffer("residual")[row * stride + offset + block];
  }
  return v;
}

} // namespace xfmr::codegen
