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

// Columns 4 * quad .. 4 * quad + 3: one load as well, of the 16-bit types with four columns more.
Value loadWeights4(const Buffer &weight, WeightType type, Value quad);

// The element type of a cache binding, addressed four columns at a time; of Q8 these are codes, without their scale (CacheCodes.h).
Element cacheElement(CacheType type);
Value loadCache4(const Buffer &cache, CacheType type, Value quad);
void storeCache4(const Buffer &cache, CacheType type, Value quad, Value vector);

} // namespace xfmr::codegen
