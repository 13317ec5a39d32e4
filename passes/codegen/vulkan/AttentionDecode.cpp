// portable: a workgroup takes one head and up to 256 keys. An invocation scores whole keys, the
// workgroup reduces maximum and sum, then invocations are columns of the value times slices of the
// keys.
#include "passes/codegen/Attention.h"
#include "passes/codegen/builder/Alibi.h"
#include "passes/codegen/vulkan/AttentionVariants.h"
#include "passes/codegen/vulkan/CacheCodes.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kNumHeads,
  kNumKvHeads,
  kMaxContext,
  kSplits,
  kQOffset,
  kOutOffset,
  kScale,
  kSoftcap,
  kWindow,
  kChunk,
  kAlibi,
  kAlibiHeads
};

// The keys a decoding row sees are those from begin (inclusive) to end (exclusive).
struct Visible {
  Value begin, end;
  Visible(KernelBuilder &k, Value window, Value chunk, bool cross) {
    if (cross) {
      begin = k.u32(0), end = k.buffer("state")[state::kSource];
      return;
    }
    Value position = k.buffer("state")[state::kPosition], size = max(chunk, k.u32(1));
    end = position + 1;
    begin = select((window != 0) & (end > window), end - window, k.u32(0));
    begin = select(chunk != 0, position / size * size, begin);
  }
};

uint32_t powerOfTwo(uint32_t atLeast) {
  uint32_t result = 1;
  while (result < atLeast)
    result *= 2;
  return result;
}

class AttentionDecode {
public:
  AttentionDecode(KernelBuilder &k, const AttentionDecodeSpec &spec)
      : k(k), spec(spec), quads(headQuads(spec.headDim)), query(k.shared(Element::F32x4, quads)),
        weights(k.shared(Element::F32, kDecodeSplit)), scratch(k.shared(Element::F32, 72)),
        partial(k.shared(Element::F32x4, 64)) {}

  void build() {
    Visible visible(k, k.push(kWindow), k.push(kChunk), spec.cross);
    Value splits = spec.single ? k.u32(1) : k.push(kSplits);
    split = k.group() % splits;
    head = k.group() / splits;
    Value begin = max(visible.begin, split * kDecodeSplit);
    Value end = min(visible.end, (split + 1) * kDecodeSplit);
    k.when((k.buffer("state")[state::kCount] != 0) & (begin < end) & (head < k.push(kNumHeads)),
           [&] { run(begin, end); });
  }

private:
  void run(Value begin, Value end) {
    Value t = k.thread(), kvHead = head / (k.push(kNumHeads) / k.push(kNumKvHeads));
    Value padded = k.u32(paddedWidth(spec.headDim) / 4),
          base = kvHead * k.push(kMaxContext) * padded;
    CacheCodes codes{k, spec.cache, k.push(kNumKvHeads), k.push(kMaxContext), padded};
    k.when(t < quads, [&] {
      HeadRows q(k.buffer("q"), spec.headDim, spec.singleFloats());
      query.store(t, q.load(q.start(k.push(kQOffset) + head * spec.headDim), t));
    });
    k.barrier();

    Value slope = spec.alibi ? alibiSlope(head, k.push(kAlibiHeads), k.pushFloat(kAlibi)) : Value();
    Value position = k.buffer("state")[state::kPosition];
    Values largest = k.loop(
        begin + t, end, k.u32(64), {k.f32(-1e30f)}, [&](Value key, llvm::ArrayRef<Value> in) {
          Values products = k.loop(k.u32(0), k.u32(quads), k.u32(1), {k.zero4()},
                                   [&](Value quad, llvm::ArrayRef<Value> sum) {
                                     Value v = loadCache4(k.buffer("k_cache"), spec.cache,
                                                          base + key * padded + quad);
                                     return Values{fma(query[quad], v, sum[0])};
                                   });
          Value score = codes.scaled(k.buffer("k_cache"), kvHead, key, sum(products[0])) * k.pushFloat(kScale);
          if (spec.softcap)
            score = softcap(score, k.pushFloat(kSoftcap));
          if (spec.alibi)
            score = fma(toFloat(key) - toFloat(position), slope, score);
          if (spec.bias)
            score = score + attention_prefill::distanceBias(k, k.push(kMaxContext), head, key, position);
          weights.store(key - begin, score);
          return Values{max(in[0], score)};
        });
    Value maximum = k.reduceMax(scratch, largest[0]);
    if (spec.sinks)
      maximum = max(maximum, k.buffer("sinks")[head]);

    Values sums =
        k.loop(t, end - begin, k.u32(64), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
          Value p = exp(weights[i] - maximum);
          weights.store(i, p);
          return Values{in[0] + p};
        });
    Value total = k.reduceSum(scratch, sums[0]); // its barriers also publish the weights
    if (spec.sinks)
      total = total + exp(k.buffer("sinks")[head] - maximum);

    uint32_t columns = powerOfTwo(quads), slices = 64 / columns;
    Value quad = min(t % columns, k.u32(quads - 1));
    Values output = k.loop(t / columns, end - begin, k.u32(slices), {k.zero4()},
                           [&](Value i, llvm::ArrayRef<Value> in) {
                             Value v = loadCache4(k.buffer("v_cache"), spec.cache,
                                                  base + (begin + i) * padded + quad);
                             Value weight = codes.scaled(k.buffer("v_cache"), kvHead, begin + i, weights[i]);
                             return Values{fma(k.splat4(weight), v, in[0])};
                           });
    partial.store(t, output[0]);
    k.barrier();
    k.when(t < quads, [&] {
      Value result = partial[t];
      for (uint32_t s = 1; s < slices; ++s)
        result = result + partial[t + s * columns];
      finish(result, maximum, total);
    });
  }

  // `result` is column quad `thread` of the weighted sum.
  void finish(Value result, Value maximum, Value total) {
    Value t = k.thread();
    if (!spec.single) {
      uint32_t row = paddedWidth(spec.headDim) / 4 + 2;
      Value start = (head * k.push(kSplits) + split) * row;
      k.buffer("partial").store(start + t, result);
      k.when(t == 0, [&] {
        k.buffer("partial").store(start + paddedWidth(spec.headDim) / 4,
                                  k.vector4(maximum, total, k.f32(0), k.f32(0)));
      });
      return;
    }
    HeadRows out(k.buffer("out"), spec.headDim, spec.singleFloats());
    Value first = k.push(kOutOffset);
    out.store(out.start(first + head * spec.headDim), t, result / total);
    out.zeroPad((t == 0) & (head + 1 == k.push(kNumHeads)), first,
                k.push(kNumHeads) * spec.headDim);
  }

  KernelBuilder &k;
  const AttentionDecodeSpec &spec;
  uint32_t quads;
  Buffer query, weights, scratch, partial;
  Value split, head;
};

// One workgroup a head, one invocation a vec4 of it; every invocation reads all splits' maxima.
void buildCombine(KernelBuilder &k, const AttentionCombineSpec &spec) {
  uint32_t quads = headQuads(spec.headDim), statistics = paddedWidth(spec.headDim) / 4;
  Visible visible(k, k.push(kWindow), k.push(kChunk), spec.cross);
  Value head = k.group(), t = k.thread();
  k.when((k.buffer("state")[state::kCount] != 0) & (t < quads) & (head < k.push(kNumHeads)), [&] {
    Value first = visible.begin / kDecodeSplit,
          last = (visible.end + (kDecodeSplit - 1)) / kDecodeSplit;
    auto at = [&](Value split) { return (head * k.push(kSplits) + split) * (statistics + 2); };
    Buffer partial = k.buffer("partial");
    Value start = spec.sinks ? k.buffer("sinks")[head] : k.f32(-1e30f);
    Value maximum =
        k.loop(first, last, k.u32(1), {start}, [&](Value split, llvm::ArrayRef<Value> in) {
          return Values{max(in[0], partial[at(split) + statistics][0])};
        })[0];
    Value sink = spec.sinks ? exp(start - maximum) : k.f32(0);
    Values sums = k.loop(first, last, k.u32(1), {sink, k.zero4()},
                         [&](Value split, llvm::ArrayRef<Value> in) {
                           Value s = partial[at(split) + statistics], factor = exp(s[0] - maximum);
                           return Values{fma(factor, s[1], in[0]),
                                         fma(k.splat4(factor), partial[at(split) + t], in[1])};
                         });
    HeadRows out(k.buffer("out"), spec.headDim, spec.singleFloats());
    Value offset = k.push(kOutOffset);
    out.store(out.start(offset + head * spec.headDim), t, sums[1] / sums[0]);
    out.zeroPad((t == 0) & (head + 1 == k.push(kNumHeads)), offset,
                k.push(kNumHeads) * spec.headDim);
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context,
                                       const AttentionDecodeSpec &spec) {
  Element rows = HeadRows::element(spec.singleFloats());
  std::vector<Element> elements = {Element::U32, rows, cacheElement(spec.cache),
                                   cacheElement(spec.cache), spec.single ? rows : Element::F32x4};
  elements.resize(spec.bindings().size(), Element::F32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  AttentionDecode(k, spec).build();
  return k.finish();
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context,
                                       const AttentionCombineSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4,
                                   HeadRows::element(spec.singleFloats())};
  elements.resize(spec.bindings().size(), Element::F32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  buildCombine(k, spec);
  return k.finish();
}

} // namespace xfmr::codegen
