// Caches of bytes (CacheType::Q8) in shaders: four codes a word, and the scale of a head's key or value at a position. Other caches
// have no scales: here they are nothing at all.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

// What the words of a cache mean.
struct CacheCodes {
  KernelBuilder &k;
  CacheType type;
  Value numKvHeads, maxContext, rowQuads; // rowQuads: words of codes of a head, paddedWidth(head_dim) / 4

  bool present() const { return type == CacheType::Q8; }
  // `v`, something linear in the codes of a head at a position, times their scale; `v` itself in other caches.
  Value scaled(const Buffer &cache, Value kvHead, Value position, Value v) const;
  // The word of that scale.
  Value scaleAt(Value kvHead, Value position) const;
};

// Four codes of a word, as floats.
Value unpackCodes(Value word);
// Of four floats that are integers from -128 to 127.
Value packCodes(Value codes);
// To the nearest integer, ties to even.
Value roundEven(Value a);

} // namespace xfmr::codegen
