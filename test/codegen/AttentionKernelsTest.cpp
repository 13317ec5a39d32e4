// The attention kernels against the formulas of their headers in f64.
#include "test/codegen/AttentionTest.h"

namespace xfmr::codegen::test {
namespace {

// Every size in f32; each is a kernel of its own at each level, so the other types take every other one, and the largest.
TEST_P(AttentionKernels, PrefillOverHeadDims) {
  for (uint32_t dim : {4u, 8u, 12u, 16u, 32u, 64u, 80u, 128u, 256u})
    prefill({3, 1, dim, 48, 5, 37}, CacheType::F32);
  for (uint32_t dim : {4u, 12u, 32u, 80u, 256u})
    prefill({3, 1, dim, 48, 5, 37}, CacheType::F16);
  for (uint32_t dim : {8u, 16u, 64u, 128u, 256u})
    prefill({3, 1, dim, 48, 5, 37}, CacheType::Q8);
}

TEST_P(AttentionKernels, PrefillOverLengths) {
  for (uint32_t rows : {1u, 31u, 33u, 127u})
    for (uint32_t position : {0u, 1u, 127u}) {
      prefill({4, 2, 16, 300, position, rows}, CacheType::F32);
      prefill({2, 2, 64, 300, position, rows}, CacheType::F32);
    }
}

TEST_P(AttentionKernels, PrefillVariants) {
  for (uint32_t dim : {16u, 64u}) {
    Shape s{4, 2, dim, 200, 50, 70};
    for (uint32_t window : {1u, 7u, 64u, 500u}) {
      s.window = window;
      prefill(s, CacheType::F32);
    }
    s.softcap = true;
    prefill(s, CacheType::F32);
    s.sinks = true;
    prefill(s, CacheType::F16);
    s.softcap = s.causal = false;
    for (uint32_t window : {0u, 1u, 7u, 64u, 500u}) { // to both sides
      s.window = window;
      prefill(s, CacheType::F32);
    }
    prefill({4, 2, dim, 200, 0, 130, 9, /*causal=*/false}, CacheType::F16);
  }
}

TEST_P(AttentionKernels, ChunksAndBiasesByDistance) {
  for (uint32_t dim : {16u, 64u}) {
    Shape s{6, 2, dim, 300, 50, 70};
    for (uint32_t chunk : {1u, 16u, 100u, 500u}) {
      s.chunk = chunk;
      prefill(s, CacheType::F32);
    }
    s.alibi = 8;
    for (CacheType type : {CacheType::F16, CacheType::Q8})
      prefill(s, type);
    s.chunk = 0;
    prefill(s, CacheType::F32);
    for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
      for (uint32_t context : {256u, 600u}) {
        Shape one{6, 3, dim, context, context - 20, 1};
        one.alibi = 8;
        decode(one, type);
        one.chunk = 48;
        decode(one, type);
        one.alibi = 0;
        decode(one, type);
      }
    releaseBuffers();
  }
}

TEST_P(AttentionKernels, TablesOfBiases) {
  for (CacheType type : {CacheType::F32, CacheType::F16})
    for (uint32_t dim : {8u, 64u, 160u}) {
      Shape s{6, 2, dim, 300, 50, 70};
      s.bias = true;
      const bool both = type == CacheType::F32; // f16 goes one way in each size
      if (both || dim != 64)
        prefill(s, type);
      s.causal = false;
      if (both || dim == 64)
        prefill(s, type);
      s.position = 0, s.rows = 300;
      if (both || dim == 64)
        prefill(s, type);
      for (uint32_t context : {256u, 600u}) {
        Shape one{6, 3, dim, context, context - 20, 1};
        one.bias = true;
        decode(one, type);
        one.position = 0;
        decode(one, type);
      }
    }
}

TEST_P(AttentionKernels, KeysOfASource) {
  for (CacheType type : {CacheType::F32, CacheType::Q8})
    for (uint32_t dim : {8u, 64u, 160u})
      for (uint32_t source : {1u, 31u, 250u}) {
        Shape s{6, 2, dim, 300, 5, 40};
        s.source = source;
        prefill(s, type);
        s.context = 256;
        s.rows = 1;
        decode(s, type);
        s.context = 600;
        s.source = source * 2;
        decode(s, type);
      }
}

TEST_P(AttentionKernels, DecodeOverHeadDims) {
  uint32_t number = 0; // of f16 and q8 each size goes in one piece or in splits
  for (uint32_t dim : {4u, 8u, 12u, 16u, 64u, 80u, 128u, 256u}) {
    const Shape whole{3, 1, dim, 256, 70, 1}, split{3, 1, dim, 600, 599, 1};
    decode(whole, CacheType::F32);
    decode(split, CacheType::F32);
    const bool other = number++ / 2 % 2;
    decode(other ? whole : split, CacheType::F16);
    decode(other ? split : whole, CacheType::Q8);
  }
}

TEST_P(AttentionKernels, DecodeOverPositionsAndVariants) {
  for (uint32_t position : {0u, 1u, 31u, 255u, 256u, 511u, 512u, 1000u}) {
    Shape s{4, 2, 16, 1100, position, 1};
    decode(s, CacheType::F32);
    for (uint32_t window : {1u, 7u, 300u}) {
      s.window = window;
      decode(s, CacheType::F32);
    }
    s.softcap = s.sinks = true;
    decode(s, CacheType::F16);
    s.context = 256;
    if (position < 256)
      decode(s, CacheType::F16);
  }
}

// Head sizes that vectors of four do not divide, rows that begin anywhere, and both.
TEST_P(AttentionKernels, AnyHeadDimAnywhere) {
  for (uint32_t dim : {1u, 3u, 6u, 10u, 14u, 18u, 33u, 75u, 255u}) {
    prefill({3, 1, dim, 48, 5, 37}, CacheType::F32);
    decode({3, 1, dim, 256, 70, 1}, CacheType::F32);
    decode({3, 1, dim, 600, 599, 1}, CacheType::F16);
  }
  for (uint32_t dim : {6u, 16u, 96u, 100u, 192u}) {
    Shape s{3, 1, dim, 300, 5, 37};
    for (uint32_t shift : {0u, 1u, 2u, 3u}) {
      if (dim != 6 && dim != 96 && shift != dim / 16 % 4) // the others differ in no remainder: one place each
        continue;
      s.shift = shift;
      s.rows = 37;
      prefill(s, shift == 2 ? CacheType::F16 : CacheType::F32);
      s.rows = 1;
      decode(s, CacheType::F32);
    }
    s.window = 7, s.softcap = s.sinks = true;
    s.context = 256;
    decode(s, CacheType::F32);
    s.rows = 37;
    prefill(s, CacheType::F32);
  }
}

TEST_P(AttentionKernels, ManyHeadsAKeyValueHead) {
  for (uint32_t heads : {1u, 71u, 128u}) {
    prefill({heads, 1, 10, 24, 3, 17}, CacheType::F32);
    prefill({heads, 1, 8, 24, 3, 17}, CacheType::F32);
    decode({heads, 1, 8, 256, 20, 1}, CacheType::F32);
  }
  prefill({128, 2, 128, 24, 3, 9}, CacheType::F32);
  decode({128, 2, 256, 512, 300, 1}, CacheType::F16);
}

XFMR_ON_EVERY_TARGET(AttentionKernels);

} // namespace
} // namespace xfmr::codegen::test
