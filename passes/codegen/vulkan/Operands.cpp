// Unpacking of 16-bit weights and caches; see Operands.h.
#include "passes/codegen/vulkan/Operands.h"
#include "passes/codegen/vulkan/CacheCodes.h"

namespace xfmr::codegen {

Element weightElement(WeightType type) {
  return type == WeightType::F32 ? Element::F32x4 : Element::U32x4;
}

std::pair<Value, Value> loadWeights8(const Buffer &weight, WeightType type, Value chunk) {
  return unpacked8(type, loadPacked8(weight, type, chunk));
}

Values loadPacked8(const Buffer &weight, WeightType type, Value chunk) {
  if (type == WeightType::F32)
    return {weight[chunk * 2], weight[chunk * 2 + 1]};
  return {weight[chunk]};
}

std::pair<Value, Value> unpacked8(WeightType type, const Values &packed) {
  Value words = packed[0];
  KernelBuilder &k = *words.builder;
  if (type == WeightType::F32)
    return {packed[0], packed[1]};
  auto unpack = type == WeightType::F16 ? unpackHalf : unpackBfloat;
  auto pair = [&](unsigned word) {
    return k.shuffle(unpack(words[word]), unpack(words[word + 1]), {0, 1, 2, 3});
  };
  return {pair(0), pair(2)};
}

Value loadWeights4(const Buffer &weight, WeightType type, Value quad) {
  if (type == WeightType::F32)
    return weight[quad];
  Value texel = weight[quad >> 1], odd = (quad & 1) != 0;
  auto unpack = type == WeightType::F16 ? unpackHalf : unpackBfloat;
  return quad.builder->shuffle(unpack(select(odd, texel[2], texel[0])), unpack(select(odd, texel[3], texel[1])), {0, 1, 2, 3});
}

Element cacheElement(CacheType type) {
  return type == CacheType::F32 ? Element::F32x4 : type == CacheType::F16 ? Element::U32x2 : Element::U32;
}

Value loadCache4(const Buffer &cache, CacheType type, Value quad) {
  Value loaded = cache[quad];
  if (type == CacheType::F32)
    return loaded;
  if (type == CacheType::Q8)
    return unpackCodes(loaded);
  return quad.builder->shuffle(unpackHalf(loaded[0]), unpackHalf(loaded[1]), {0, 1, 2, 3});
}

void storeCache4(const Buffer &cache, CacheType type, Value quad, Value vector) {
  if (type == CacheType::F32)
    return cache.store(quad, vector);
  if (type == CacheType::Q8)
    return cache.store(quad, packCodes(vector));
  Value low = packHalf(vector[0], vector[1]), high = packHalf(vector[2], vector[3]);
  cache.store(quad, quad.builder->vector2(low, high));
}

} // namespace xfmr::codegen
