// subgroup_size_8 + subgroup_shuffle, texel_buffers but for caches of bytes: attention_prefill for software drivers
// (see GemmSubgroup8.cpp). A lane is a query row, with its query, output, maximum and sum in registers,
// so the softmax needs no exchange at all. Of eight keys each lane fetches another, and shuffles give
// every lane each of them. One loop over the keys at the top level, no workgroup memory, no
// barrier.
#include "passes/codegen/builder/Alibi.h"
#include "passes/codegen/vulkan/AttentionVariants.h"
#include "passes/codegen/vulkan/CacheCodes.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::attention_prefill {
namespace {

constexpr uint32_t kLanes = 8, kSubgroups = 2, kKeys = kLanes;

// What the elements of a cache that is read as texels are; nothing for bytes, which are not.
std::optional<WeightType> texelsOf(CacheType cache) {
  if (cache == CacheType::Q8)
    return std::nullopt;
  return cache == CacheType::F32 ? WeightType::F32 : WeightType::F16;
}

class Subgroup8 {
public:
  Subgroup8(KernelBuilder &k, const AttentionPrefillSpec &spec)
      : k(k), spec(spec), quads(headQuads(spec.headDim)),
        groups(queryTile(spec.headDim) / (kLanes * kSubgroups)) {
    if (texelsOf(spec.cache))
      for (const char *name : {"k_cache", "v_cache"})
        k.readAsTexels(k.buffer(name));
  }

  void build() {
    Buffer state = k.buffer("state");
    Value count = state[state::kCount], position = state[state::kPosition];
    Value heads = k.push(kNumHeads);
    head = k.group() % heads;
    Value firstRow = k.group() / heads * queryTile(spec.headDim) + k.subgroup() * (groups * kLanes);
    Value live = firstRow < count;

    kvHead = head / (heads / k.push(kNumKvHeads));
    cacheBase = kvHead * k.push(kMaxContext) * paddedQuads();
    Value all = position + count;
    Value window = k.push(kWindow), behind = position + firstRow + groups * kLanes;
    end = spec.causal ? min(behind, all) : select(window != 0, min(behind - 1 + window, all), all);
    Value oldest = position + firstRow + 1;
    Value begin = select((window != 0) & (oldest > window), oldest - window, k.u32(0));
    if (spec.chunked)
      begin = (position + firstRow) / k.push(kChunk) * k.push(kChunk);
    if (spec.cross)
      end = state[state::kSource], begin = k.u32(0);
    if (spec.alibi)
      slope = alibiSlope(head, k.push(kAlibiHeads), k.pushFloat(kAlibi));

    loadQueries(firstRow, count, position);
    Values carried; // of each group: maximum, sum, the output's vec4
    for (uint32_t g = 0; g < groups; ++g) {
      carried.append({k.f32(kMasked), k.f32(0)});
      carried.append(quads, k.zero4());
    }
    carried = k.loop(begin, select(live, end, begin), k.u32(kKeys), carried,
                     [&](Value first, llvm::ArrayRef<Value> in) { return step(first, in); });
    store(carried, firstRow, count);
  }

private:
  uint32_t paddedQuads() const { return paddedWidth(spec.headDim) / 4; }
  uint32_t perGroup() const { return 2 + quads; }

  void loadQueries(Value firstRow, Value count, Value position) {
    HeadRows q(k.buffer("q"), spec.headDim, spec.singleFloats());
    Value last = select(count != 0, count - 1, k.u32(0));
    for (uint32_t g = 0; g < groups; ++g) {
      Value row = firstRow + g * kLanes + k.lane();
      Value start = k.push(kQOffset) + min(row, last) * k.push(kQStride) + head * spec.headDim;
      for (uint32_t c = 0; c < quads; ++c)
        query.push_back(q.load(q.start(start), k.u32(c)));
      queryPosition.push_back(position + row);
    }
  }

  Value load(const Buffer &cache, Value quad) {
    const auto type = texelsOf(spec.cache);
    return type ? loadWeights4(cache, *type, quad) : loadCache4(cache, spec.cache, quad);
  }

  Values step(Value first, llvm::ArrayRef<Value> in) {
    // Lanes beyond the last key repeat it; its weight is zero there.
    Value key = min(first + k.lane(), end - 1), row = cacheBase + key * paddedQuads();
    CacheCodes cache{k, spec.cache, k.push(kNumKvHeads), k.push(kMaxContext), k.u32(paddedQuads())};
    Value keyScale = cache.scaled(k.buffer("k_cache"), kvHead, key, k.f32(1));
    Value valueScale = cache.scaled(k.buffer("v_cache"), kvHead, key, k.f32(1));
    Values scores(groups * kKeys, k.f32(0));
    for (uint32_t c = 0; c < quads; ++c) {
      Value own = load(k.buffer("k_cache"), row + c);
      if (cache.present())
        own = own * keyScale;
      for (uint32_t j = 0; j < kKeys; ++j) {
        Value key = k.broadcast(own, j);
        for (uint32_t g = 0; g < groups; ++g) {
          Value &s = scores[g * kKeys + j];
          s = dot(query[g * quads + c], key, s);
        }
      }
    }

    Values out(in.begin(), in.end()), weights;
    for (uint32_t g = 0; g < groups; ++g) {
      Value *group = &out[g * perGroup()];
      Value largest = group[0];
      llvm::MutableArrayRef<Value> own(&scores[g * kKeys], kKeys);
      for (uint32_t j = 0; j < kKeys; ++j) {
        Value s = own[j] * k.pushFloat(kScale);
        if (spec.softcap)
          s = softcap(s, k.pushFloat(kSoftcap));
        if (spec.alibi)
          s = fma(toFloat(first + j) - toFloat(queryPosition[g]), slope, s);
        if (spec.bias)
          s = s + distanceBias(k, k.push(kMaxContext), head, first + j, queryPosition[g]);
        own[j] = select(visible(first + j, queryPosition[g]), s, k.f32(kMasked));
        largest = max(largest, own[j]);
      }
      Value factor = exp(group[0] - largest), total = group[1] * factor;
      for (uint32_t j = 0; j < kKeys; j += 4) {
        Value s = k.vector4(own[j], own[j + 1], own[j + 2], own[j + 3]);
        Value p = select(s > kMasked, exp(s - largest), k.zero4());
        total = total + sum(p);
        for (uint32_t i = 0; i < 4; ++i)
          weights.push_back(p[i]);
      }
      group[0] = largest;
      group[1] = total;
      for (uint32_t c = 0; c < quads; ++c)
        group[2 + c] = group[2 + c] * factor;
    }

    for (uint32_t c = 0; c < quads; ++c) {
      Value own = load(k.buffer("v_cache"), row + c);
      if (cache.present())
        own = own * valueScale;
      for (uint32_t j = 0; j < kKeys; ++j) {
        Value value = k.broadcast(own, j);
        for (uint32_t g = 0; g < groups; ++g) {
          Value &o = out[g * perGroup() + 2 + c];
          o = fma(k.splat4(weights[g * kKeys + j]), value, o);
        }
      }
    }
    return out;
  }

  Value visible(Value key, Value position) {
    if (spec.cross)
      return key < end;
    Value window = k.push(kWindow);
    Value result = ((window == 0) | (key + window > position)) & (key < end);
    if (spec.chunked)
      result = result & (key >= position / k.push(kChunk) * k.push(kChunk));
    return result & (spec.causal ? key <= position : (window == 0) | (key < position + window));
  }

  void store(llvm::ArrayRef<Value> carried, Value firstRow, Value count) {
    Values vectors;
    for (uint32_t g = 0; g < groups; ++g) {
      const Value *group = &carried[g * perGroup()];
      Value factor = k.f32(1), total = group[1];
      if (spec.sinks) {
        Value sink = k.buffer("sinks")[head], largest = max(group[0], sink);
        factor = exp(group[0] - largest);
        total = total * factor + exp(sink - largest);
      }
      factor = select(total > 0, factor / total, k.f32(0));
      for (uint32_t c = 0; c < quads; ++c)
        vectors.push_back(group[2 + c] * factor);
    }
    HeadRows out(k.buffer("out"), spec.headDim, spec.singleFloats());
    auto start = [&](Value row) { return k.push(kOutOffset) + row * k.push(kOutStride); };
    k.rotate(k.u32(groups * quads), vectors, [&](Value i, Value vector) {
      Value row = firstRow + i / quads * kLanes + k.lane();
      k.when(row < count, [&] {
        out.store(out.start(start(row) + head * spec.headDim), i % quads, vector);
      });
    });
    Value width = k.push(kNumHeads) * spec.headDim;
    k.when((head + 1 == k.push(kNumHeads)) & (width % 8 != 0), [&] {
      for (uint32_t g = 0; g < groups; ++g) {
        Value row = firstRow + g * kLanes + k.lane();
        out.zeroPad(row < count, start(row), width);
      }
    });
  }

  KernelBuilder &k;
  const AttentionPrefillSpec &spec;
  uint32_t quads, groups; // vec4 of a head; rows a lane takes
  Value head, kvHead, cacheBase, end, slope;
  Values query, queryPosition; // [group, quad], [group]
};

} // namespace

llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context,
                                                const AttentionPrefillSpec &spec) {
  std::vector<Element> types = elements(spec);
  if (auto type = texelsOf(spec.cache))
    types[2] = types[3] = weightElement(*type);
  KernelBuilder k(context, spec.name(), spec.bindings(), types, {kLanes * kSubgroups, 1, 1});
  Subgroup8(k, spec).build();
  return k.finish({"subgroup_size_8", "subgroup_shuffle"});
}

} // namespace xfmr::codegen::attention_prefill
