// portable: a workgroup takes one head and a tile of query rows, and walks over tiles of keys.
// Invocations are groups of four query rows times C columns; for the scores a column is a run of
// keys, for the output it is a run of value columns, so every vec4 loaded serves four rows. Between
// the two, a few invocations a row do the softmax. The key tile and then the value tile lie in the
// same workgroup memory.
#include "passes/codegen/builder/Alibi.h"
#include "passes/codegen/vulkan/AttentionVariants.h"
#include "passes/codegen/vulkan/CacheCodes.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace attention_prefill;
namespace {

constexpr uint32_t kRowsEach = 4;

// How the 64 invocations of a workgroup divide the work, from head_dim alone. Everything fits 16
// KiB.
struct Tiling {
  explicit Tiling(uint32_t headDim)
      : quads(headQuads(headDim)), columns(quads <= 4   ? 4
                                    : quads <= 8 ? 8
                                                 : 16),
        queries(queryTile(headDim)), keys(quads <= 4    ? 16
                                          : quads <= 16 ? 32
                                          : quads <= 32 ? 16
                                          : quads <= 64 ? 8
                                                        : 4),
        keysEach((keys + columns - 1) / columns), quadsEach((quads + columns - 1) / columns),
        softmaxLanes(std::min(64 / queries, keys / 4)) {}
  uint32_t quads;        // vec4 of a head
  uint32_t columns;      // C
  uint32_t queries;      // rows of a query tile
  uint32_t keys;         // of a key tile
  uint32_t keysEach;     // keys an invocation scores
  uint32_t quadsEach;    // value vec4 an invocation sums
  uint32_t softmaxLanes; // invocations a row in the softmax
};

class AttentionPrefill {
public:
  AttentionPrefill(KernelBuilder &k, const AttentionPrefillSpec &spec)
      : k(k), spec(spec), tiling(spec.headDim),
        tile(k.shared(Element::F32x4, tiling.keys * tiling.quads)),
        scores(k.shared(Element::F32, tiling.queries * tiling.keys)),
        weights(k.shared(Element::F32x4, tiling.queries * tiling.keys / 4)),
        perLane(k.shared(Element::F32, tiling.queries * tiling.softmaxLanes)),
        rowFactor(k.shared(Element::F32, tiling.queries)) {}

  void build() {
    Buffer state = k.buffer("state");
    count = state[state::kCount];
    position = state[state::kPosition];
    Value heads = k.push(kNumHeads);
    head = k.group() % heads;
    firstRow = k.group() / heads * tiling.queries;
    k.when(firstRow < count, [&] {
      column = k.thread() % tiling.columns;
      rowBase = k.thread() / tiling.columns * kRowsEach;
      kvHead = head / (heads / k.push(kNumKvHeads));
      cacheBase = kvHead * k.push(kMaxContext) * paddedQuads();
      softmaxRow = k.thread() / tiling.softmaxLanes;
      softmaxLane = k.thread() % tiling.softmaxLanes;
      isSoftmax = k.thread() < tiling.queries * tiling.softmaxLanes;
      run();
    });
  }

private:
  uint32_t paddedQuads() const { return paddedWidth(spec.headDim) / 4; }

  void run() {
    // The keys any row of the tile sees.
    Value all = position + count, last = min(position + firstRow + tiling.queries, all);
    Value window = k.push(kWindow);
    end = spec.causal ? last : select(window != 0, min(position + firstRow + (tiling.queries - 1) + window, all), all);
    Value oldest = position + firstRow + 1;
    Value begin = select((window != 0) & (oldest > window), oldest - window, k.u32(0));
    if (spec.chunked)
      begin = (position + firstRow) / k.push(kChunk) * k.push(kChunk);
    begin = begin / tiling.keys * tiling.keys;
    if (spec.cross)
      end = k.buffer("state")[state::kSource], begin = k.u32(0);
    if (spec.alibi)
      slope = alibiSlope(head, k.push(kAlibiHeads), k.pushFloat(kAlibi));

    Values carried = {k.f32(kMasked),
                      k.f32(0)}; // largest score and sum of exponentials of the softmax row
    for (uint32_t i = 0; i < kRowsEach * tiling.quadsEach; ++i)
      carried.push_back(k.zero4()); // the output, row by row
    carried = k.loop(begin, end, k.u32(tiling.keys), carried,
                     [&](Value first, llvm::ArrayRef<Value> in) { return step(first, in); });
    finish(carried);
  }

  Values step(Value first, llvm::ArrayRef<Value> in) {
    k.barrier();
    load("k_cache", first);
    k.barrier();
    score(first);
    k.barrier();
    load("v_cache", first);
    Value row = softmaxRow * tiling.keys, local = k.f32(kMasked);
    uint32_t each = tiling.keys / tiling.softmaxLanes;
    k.when(isSoftmax, [&] {
      for (uint32_t i = 0; i < each; ++i)
        local = max(local, scores[row + softmaxLane * each + i]);
      perLane.store(k.thread(), local);
    });
    k.barrier();
    Values softmax = k.choose(
        isSoftmax,
        [&] {
          Value largest = in[0];
          for (uint32_t i = 0; i < tiling.softmaxLanes; ++i)
            largest = max(largest, perLane[softmaxRow * tiling.softmaxLanes + i]);
          Value factor = exp(in[0] - largest), total = in[1] * factor;
          for (uint32_t i = 0; i < each; i += 4) {
            Value at = row + softmaxLane * each + i;
            Value s = k.vector4(scores[at], scores[at + 1], scores[at + 2], scores[at + 3]);
            Value p = select(s > kMasked, exp(s - largest), k.zero4());
            weights.store(at / 4, p);
            total = total + sum(p);
          }
          k.when(softmaxLane == 0, [&] { rowFactor.store(softmaxRow, factor); });
          return Values{largest, total};
        },
        [&] {
          return Values{in[0], in[1]};
        });
    k.barrier();
    Values out = {softmax[0], softmax[1]};
    out.append(accumulate(in.drop_front(2)));
    return out;
  }

  // A tile of the cache; keys beyond the last are zeros, so that a weight of 0 times them is 0.
  void load(const char *name, Value first) {
    k.loop(k.thread(), k.u32(tiling.keys * tiling.quads), k.u32(64), [&](Value item) {
      Value key = first + item / tiling.quads, quad = item % tiling.quads;
      Values v = k.choose(
          key < end,
          [&] {
            Value codes = loadCache4(k.buffer(name), spec.cache, cacheBase + key * paddedQuads() + quad);
            CacheCodes cache{k, spec.cache, k.push(kNumKvHeads), k.push(kMaxContext), k.u32(paddedQuads())};
            return Values{cache.scaled(k.buffer(name), kvHead, key, codes)};
          },
          [&] { return Values{k.zero4()}; });
      tile.store(item, v[0]);
    });
  }

  // Invocations whose rows all lie beyond the last skip arithmetic by looping zero times.
  Value live(uint32_t trips) { return select(firstRow + rowBase < count, k.u32(trips), k.u32(0)); }

  void score(Value first) {
    HeadRows q(k.buffer("q"), spec.headDim, spec.singleFloats());
    llvm::SmallVector<Value> start;
    for (uint32_t r = 0; r < kRowsEach; ++r) {
      Value row = min(firstRow + rowBase + r, count - 1);
      start.push_back(q.start(k.push(kQOffset) + row * k.push(kQStride) + head * spec.headDim));
    }
    Value trips = live(tiling.quads);
    Value working = column * tiling.keysEach < tiling.keys;
    Values dots(kRowsEach * tiling.keysEach, k.f32(0));
    dots = k.loop(k.u32(0), select(working, trips, k.u32(0)), k.u32(1), dots,
                  [&](Value quad, llvm::ArrayRef<Value> in) {
                    Values out(in.begin(), in.end()), keys;
                    for (uint32_t j = 0; j < tiling.keysEach; ++j)
                      keys.push_back(tile[(column * tiling.keysEach + j) * tiling.quads + quad]);
                    for (uint32_t r = 0; r < kRowsEach; ++r) {
                      Value query = q.load(start[r], quad);
                      for (uint32_t j = 0; j < tiling.keysEach; ++j)
                        out[r * tiling.keysEach + j] =
                            dot(query, keys[j], in[r * tiling.keysEach + j]);
                    }
                    return out;
                  });
    k.when(working, [&] {
      for (uint32_t r = 0; r < kRowsEach; ++r)
        for (uint32_t j = 0; j < tiling.keysEach; ++j) {
          Value keyInTile = column * tiling.keysEach + j;
          Value score = dots[r * tiling.keysEach + j] * k.pushFloat(kScale);
          if (spec.softcap)
            score = softcap(score, k.pushFloat(kSoftcap));
          Value query = position + firstRow + rowBase + r;
          if (spec.alibi)
            score = fma(toFloat(first + keyInTile) - toFloat(query), slope, score);
          if (spec.bias)
            score = score + distanceBias(k, k.push(kMaxContext), head, first + keyInTile, query);
          score = select(visible(first + keyInTile, query), score, k.f32(kMasked));
          scores.store((rowBase + r) * tiling.keys + keyInTile, score);
        }
    });
  }

  Value visible(Value key, Value query) {
    if (spec.cross)
      return key < end;
    Value window = k.push(kWindow);
    Value result = (window == 0) | (key + window > query);
    if (spec.chunked)
      result = result & (key >= query / k.push(kChunk) * k.push(kChunk));
    return result & (spec.causal ? key <= query : (key < end) & ((window == 0) | (key < query + window)));
  }

  // output = output * factor + weights x values, four keys a step.
  Values accumulate(llvm::ArrayRef<Value> output) {
    Values scaled;
    for (uint32_t r = 0; r < kRowsEach; ++r) {
      Value factor = rowFactor[rowBase + r];
      for (uint32_t c = 0; c < tiling.quadsEach; ++c)
        scaled.push_back(output[r * tiling.quadsEach + c] * factor);
    }
    return k.loop(k.u32(0), live(tiling.keys / 4), k.u32(1), scaled,
                  [&](Value four, llvm::ArrayRef<Value> in) {
                    Values out(in.begin(), in.end()), p;
                    for (uint32_t r = 0; r < kRowsEach; ++r)
                      p.push_back(weights[(rowBase + r) * (tiling.keys / 4) + four]);
                    for (uint32_t j = 0; j < 4; ++j)
                      for (uint32_t c = 0; c < tiling.quadsEach; ++c) {
                        Value v = tile[(four * 4 + j) * tiling.quads + valueQuad(c)];
                        for (uint32_t r = 0; r < kRowsEach; ++r)
                          out[r * tiling.quadsEach + c] =
                              fma(k.splat4(p[r][j]), v, out[r * tiling.quadsEach + c]);
                      }
                    return out;
                  });
  }

  // The c-th value vec4 of this invocation; those beyond the head repeat the last and are not
  // stored.
  Value valueQuad(uint32_t c) { return min(column + c * tiling.columns, k.u32(tiling.quads - 1)); }

  void finish(llvm::ArrayRef<Value> carried) {
    k.when(isSoftmax, [&] { perLane.store(k.thread(), carried[1]); });
    k.barrier();
    k.when(isSoftmax & (softmaxLane == 0), [&] {
      Value total = perLane[softmaxRow * tiling.softmaxLanes];
      for (uint32_t i = 1; i < tiling.softmaxLanes; ++i)
        total = total + perLane[softmaxRow * tiling.softmaxLanes + i];
      Value factor = k.f32(1);
      if (spec.sinks) {
        Value sink = k.buffer("sinks")[head], largest = max(carried[0], sink);
        factor = exp(carried[0] - largest);
        total = total * factor + exp(sink - largest);
      }
      rowFactor.store(softmaxRow, select(total > 0, factor / total, k.f32(0)));
    });
    k.barrier();
    HeadRows out(k.buffer("out"), spec.headDim, spec.singleFloats());
    Value width = k.push(kNumHeads) * spec.headDim, lastHead = head + 1 == k.push(kNumHeads);
    for (uint32_t r = 0; r < kRowsEach; ++r) {
      Value row = firstRow + rowBase + r;
      k.when(row < count, [&] {
        Value start = k.push(kOutOffset) + row * k.push(kOutStride),
              factor = rowFactor[rowBase + r];
        for (uint32_t c = 0; c < tiling.quadsEach; ++c) {
          Value quad = column + c * tiling.columns;
          k.when(quad < tiling.quads, [&] {
            out.store(out.start(start + head * spec.headDim), quad,
                      carried[2 + r * tiling.quadsEach + c] * factor);
          });
        }
        out.zeroPad(lastHead & (column == 0), start, width);
      });
    }
  }

  KernelBuilder &k;
  const AttentionPrefillSpec &spec;
  Tiling tiling;
  Buffer tile, scores, weights, perLane, rowFactor;
  Value count, position, head, kvHead, firstRow, column, rowBase, cacheBase, end;
  Value softmaxRow, softmaxLane, isSoftmax, slope;
};

} // namespace

Value attention_prefill::distanceBias(KernelBuilder &k, Value maxContext, Value head, Value key, Value query) {
  Value span = ((maxContext * 2 + 16) >> 3) << 3, at = key + (maxContext - 1);
  return k.buffer("bias")[head * span + min(select(at > query, at - query, k.u32(0)), span - 1)];
}

std::vector<Element> attention_prefill::elements(const AttentionPrefillSpec &spec) {
  Element rows = HeadRows::element(spec.singleFloats());
  std::vector<Element> elements = {Element::U32, rows, cacheElement(spec.cache),
                                   cacheElement(spec.cache), rows};
  elements.resize(spec.bindings().size(), Element::F32);
  return elements;
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context,
                                       const AttentionPrefillSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec), {64, 1, 1});
  AttentionPrefill(k, spec).build();
  auto portable = k.finish();
  return spec.headDim > kMaxSubgroup8 ? std::move(portable) : preferring(std::move(portable), buildSubgroup8(context, spec));
}

} // namespace xfmr::codegen
