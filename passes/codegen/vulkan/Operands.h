// Reading what is not plain f32: matrix weights and caches, f16 or bf16 packed two a 32-bit word.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"
#include <utility>

namespace xfmr::codegen {

// The element type of a weight binding, addressed eight columns at a time.
Element weightElement(WeightType type);

// Columns 8 * chunk .. 8 * chunk + 7 of a weight buffer, `chunk` counted from the buffer's start:
// two vec4.
std::pair<Value, Value> loadWeights8(const Buffer &weight, WeightType type, Value chunk);
// The same in two steps, so that more loads may come before the first of them is waited for.
Values loadPacked8(const Buffer &weight, WeightType type, Value chunk);
std::pair<Value, Value> unpacked8(WeightType type, const Values &packed);

// The same from 64-bit words, for variants that require int64: half as many loads of f32.
Element wideWeightElement(WeightType type);
std::pair<Value, Value> loadWideWeights8(const Buffer &weight, WeightType type, Value chunk);

// Columns 4 * quad .. 4 * quad + 3, from a binding of F32x4, or U32x2 for the 16-bit types.
Value loadWeights4(const Buffer &weight, WeightType type, Value quad);

// The element type of a cache binding, addressed four columns at a time; of Q8 these are codes, without their scale (CacheCodes.h).
Element cacheElement(CacheType type);
Value loadCache4(const Buffer &cache, CacheType type, Value quad);
void storeCache4(const Buffer &cache, CacheType type, Value quad, Value vector);

} // namespace xfmr::codegen
