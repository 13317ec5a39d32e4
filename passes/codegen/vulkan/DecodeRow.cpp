// Heads pass through workgroup memory, a vector of four at a time, because an element needs its partner.
#include "passes/codegen/vulkan/DecodeRow.h"
#include "passes/codegen/vulkan/HeadTurn.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Operands.h"
#include <cmath>

namespace xfmr::codegen {

DecodeRow::DecodeRow(KernelBuilder &k, const AttentionDecodeSpec &spec, Words words, uint32_t threads)
    : k(k), spec(spec), words(words), threads(threads), quads(headQuads(spec.headDim)),
      queryHead(k.shared(Element::F32, quads * 4)), keyHead(k.shared(Element::F32, quads * 4)),
      keyQuads(k.shared(Element::F32x4, quads)), valueQuads(k.shared(Element::F32x4, quads)),
      heldKey(k.shared(Element::F32x4, quads)), heldValue(k.shared(Element::F32x4, quads)) {
  if (spec.qNorm)
    querySquares = k.shared(Element::F32, quads);
  if (spec.kNorm)
    keySquares = k.shared(Element::F32, quads);
  if (spec.cache == CacheType::Q8) {
    scales.present = true;
    scales.both = k.shared(Element::F32, 2);
  }
}

void DecodeRow::eachQuad(Value condition, llvm::function_ref<void(Value quad)> body) {
  k.eachShare(threads, quads, condition, body);
}

void DecodeRow::build(const Buffer &query, Value head, Value kvHead, Value position, Value fresh, Value writes,
                      Value row, const CacheCodes &codes) {
  Value always = k.thread() < threads;
  eachQuad(always, [&](Value quad) {
    stage(queryHead, querySquares, quad, load("q", words.qOffset, head, quad), spec.qNorm);
  });
  eachQuad(fresh, [&](Value quad) {
    stage(keyHead, keySquares, quad, load("k", words.kOffset, kvHead, quad), spec.kNorm);
    valueQuads.store(quad, load("v", words.vOffset, kvHead, quad));
  });
  k.barrier();
  Value queryFactor = factor(querySquares, spec.qNorm), keyFactor;
  eachQuad(always, [&](Value quad) {
    query.store(quad, turned(queryHead, spec.qNorm ? "q_norm" : "", queryFactor, position, quad));
  });
  k.when(fresh, [&] {
    keyFactor = factor(keySquares, spec.kNorm);
    eachQuad(always, [&](Value quad) {
      keyQuads.store(quad, turned(keyHead, spec.kNorm ? "k_norm" : "", keyFactor, position, quad));
    });
  });
  k.barrier();
  // As the caches hold it: scores are those of later tokens, which read it there.
  eachQuad(fresh, [&](Value quad) {
    hold("k_cache", keyQuads, heldKey, 0, quad, row, writes, position, kvHead, codes);
    hold("v_cache", valueQuads, heldValue, 1, quad, row, writes, position, kvHead, codes);
  });
  if (paddedWidth(spec.headDim) / 4 > quads) // half a pad
    k.when(fresh & writes & (k.thread() == 0), [&] {
      for (const char *name : {"k_cache", "v_cache"})
        storeCache4(k.buffer(name), spec.cache, row + quads, k.zero4());
    });
  k.barrier();
}

// A quad of a head, zeros behind it.
Value DecodeRow::load(const char *name, uint32_t offset, Value number, Value quad) {
  HeadRows rows(k.buffer(name), spec.headDim, spec.singleFloats());
  Value v = rows.load(rows.start(k.push(offset) + number * spec.headDim), quad);
  if (spec.headDim % 4 == 0)
    return v;
  Values lanes;
  for (unsigned i = 0; i < 4; ++i)
    lanes.push_back(select(quad * 4 + i < k.u32(spec.headDim), v[i], k.f32(0)));
  return k.vector4(lanes[0], lanes[1], lanes[2], lanes[3]);
}

void DecodeRow::stage(const Buffer &head, const Buffer &squares, Value quad, Value vector, bool norm) {
  for (unsigned i = 0; i < 4; ++i)
    head.store(quad * 4 + i, vector[i]);
  if (norm)
    squares.store(quad, sum(vector * vector));
}

Value DecodeRow::factor(const Buffer &squares, bool norm) {
  if (!norm)
    return {};
  Value total = k.loop(k.u32(0), k.u32(quads), k.u32(1), {k.f32(0)},
                       [&](Value i, llvm::ArrayRef<Value> in) { return Values{in[0] + squares[i]}; })[0];
  return rsqrt(fma(total, k.f32(1.0f / static_cast<float>(spec.headDim)), k.pushFloat(words.eps)));
}

// A quad behind norm and rotation; lanes behind the head stay zero.
Value DecodeRow::turned(const Buffer &head, llvm::StringRef norm, Value factor, Value position, Value quad) {
  HeadTurn turn{k, spec.style, spec.unitOffset, head, k.u32(0)};
  Values lanes;
  for (unsigned i = 0; i < 4; ++i) {
    Value e = quad * 4 + i;
    Value v = spec.style == RopeStyle::None ? turn.normed(e, norm, factor)
                                            : turn.rotated(e, norm, factor, position, k.push(words.rotaryDim));
    lanes.push_back(v);
  }
  return k.vector4(lanes[0], lanes[1], lanes[2], lanes[3]);
}

// A quad of a head as the cache holds it, which it is written to.
void DecodeRow::hold(const char *name, const Buffer &head, const Buffer &held, uint32_t which, Value quad, Value row,
                     Value writes, Value position, Value kvHead, const CacheCodes &codes) {
  Value v = head[quad];
  auto store = [&](Value stored) {
    k.when(writes, [&] { storeCache4(k.buffer(name), spec.cache, row + quad, stored); });
  };
  if (spec.cache == CacheType::F32) {
    store(v);
    return held.store(quad, v);
  }
  if (spec.cache == CacheType::F16) {
    store(v);
    // A driver may take packing and unpacking for nothing (Mesa 25.0 does), and the row would differ from what the cache holds. It
    // does not know that the sign of a number of columns is 0.
    Value zero = k.push(words.rotaryDim) >> 31;
    Value low = unpackHalf(packHalf(v[0], v[1]) + zero), high = unpackHalf(packHalf(v[2], v[3]) + zero);
    return held.store(quad, k.shuffle(low, high, {0, 1, 2, 3}));
  }
  Value size = k.loop(k.u32(0), k.u32(quads), k.u32(1), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
    Value a = abs(head[i]);
    return Values{max(in[0], max(max(a[0], a[1]), max(a[2], a[3])))};
  })[0];
  Value isZero = size < std::ldexp(1.0, -100), scale = select(isZero, k.f32(0), size / 127.0);
  Value integers = roundEven(v * select(isZero, k.f32(0), 127.0 / size));
  store(integers);
  held.store(quad, integers);
  k.when(quad == 0, [&] {
    scales.both.store(which, scale);
    k.when(writes, [&] { k.buffer(name).store(codes.scaleAt(kvHead, position), asInt(scale)); });
  });
}

} // namespace xfmr::codegen
