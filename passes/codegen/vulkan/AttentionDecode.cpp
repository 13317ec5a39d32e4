// portable: a workgroup takes one head and up to 256 keys. An invocation scores whole keys, the
// workgroup reduces maximum and sum, then invocations are columns of the value times slices of the
// keys. With `caches` the newest key is not read from the cache: DecodeRow has it in workgroup memory. With `combines` workgroups
// count themselves in `done`, and a head's last one combines.
// subgroup_size_8: the same code in a workgroup of 8 invocations, for software drivers: to them a workgroup of 64 is eight threads
// to be switched at every barrier and to be made for splits that have no keys yet.
#include "passes/codegen/Attention.h"
#include "passes/codegen/builder/Alibi.h"
#include "passes/codegen/vulkan/AttentionVariants.h"
#include "passes/codegen/vulkan/DecodeRow.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"
#include <optional>

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
  kAlibiHeads,
  kKOffset,
  kVOffset,
  kRotaryDim,
  kEps
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

// Quad t of a head: the results of its splits become one.
template <class Spec> void combineSplits(KernelBuilder &k, const Spec &spec, const Visible &visible, Value head, Value t) {
  uint32_t statistics = paddedWidth(spec.headDim) / 4;
  Value first = visible.begin / kDecodeSplit, last = (visible.end + (kDecodeSplit - 1)) / kDecodeSplit;
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
}

uint32_t powerOfTwo(uint32_t atLeast) {
  uint32_t result = 1;
  while (result < atLeast)
    result *= 2;
  return result;
}

class AttentionDecode {
public:
  AttentionDecode(KernelBuilder &k, const AttentionDecodeSpec &spec, uint32_t threads)
      : k(k), spec(spec), threads(threads), quads(headQuads(spec.headDim)), columns(std::min(powerOfTwo(quads), threads)),
        query(k.shared(Element::F32x4, quads)), weights(k.shared(Element::F32, kDecodeSplit)),
        scratch(k.shared(Element::F32, threads * 9 / 8)),
        partial(k.shared(Element::F32x4, threads * turns())), visible(k, k.push(kWindow), k.push(kChunk), spec.cross) {
    if (spec.caches)
      own.emplace(k, spec, DecodeRow::Words{kQOffset, kKOffset, kVOffset, kRotaryDim, kEps}, threads);
    if (spec.combines) {
      before = k.shared(Element::U32, 1);
      k.shareAmongGroups(k.buffer("partial"));
      k.shareAmongGroups(k.buffer("done"));
    }
  }

  void build() {
    Value splits = spec.single ? k.u32(1) : k.push(kSplits);
    split = k.group() % splits;
    head = k.group() / splits;
    Value begin = max(visible.begin, split * kDecodeSplit);
    Value end = min(visible.end, (split + 1) * kDecodeSplit);
    k.when((k.buffer("state")[state::kCount] != 0) & (begin < end) & (head < k.push(kNumHeads)),
           [&] { run(begin, end); });
  }

private:
  // Quads of the output that an invocation sums up.
  uint32_t turns() const { return (quads + columns - 1) / columns; }
  void eachQuad(Value condition, llvm::function_ref<void(Value quad)> body) { k.eachShare(threads, quads, condition, body); }

  void run(Value begin, Value end) {
    Value t = k.thread(), always = t < threads, kvHead = head / (k.push(kNumHeads) / k.push(kNumKvHeads));
    Value padded = k.u32(paddedWidth(spec.headDim) / 4),
          base = kvHead * k.push(kMaxContext) * padded;
    CacheCodes codes{k, spec.cache, k.push(kNumKvHeads), k.push(kMaxContext), padded};
    Value newest = visible.end - 1, fresh, cached = end; // keys from `cached` on are not in the cache
    if (own) {
      fresh = end == visible.end;
      cached = select(fresh, newest, end);
      Value group = k.push(kNumHeads) / k.push(kNumKvHeads);
      Value writes = (head % group == 0) & (newest < k.push(kMaxContext));
      own->build(query, head, kvHead, newest, fresh, writes, base + newest * padded, codes);
    } else {
      eachQuad(always, [&](Value quad) {
        HeadRows q(k.buffer("q"), spec.headDim, spec.singleFloats());
        query.store(quad, q.load(q.start(k.push(kQOffset) + head * spec.headDim), quad));
      });
      k.barrier();
    }

    Value slope = spec.alibi ? alibiSlope(head, k.push(kAlibiHeads), k.pushFloat(kAlibi)) : Value();
    auto keepScore = [&](Value key, Value product) {
      Value score = product * k.pushFloat(kScale);
      if (spec.softcap)
        score = softcap(score, k.pushFloat(kSoftcap));
      if (spec.alibi)
        score = fma(toFloat(key) - toFloat(newest), slope, score);
      if (spec.bias)
        score = score + attention_prefill::distanceBias(k, k.push(kMaxContext), head, key, newest);
      weights.store(key - begin, score);
      return score;
    };
    Values largest = k.loop(
        begin + t, cached, k.u32(threads), {k.f32(-1e30f)}, [&](Value key, llvm::ArrayRef<Value> in) {
          Values products = k.loop(k.u32(0), k.u32(quads), k.u32(1), {k.zero4()},
                                   [&](Value quad, llvm::ArrayRef<Value> sum) {
                                     Value v = loadCache4(k.buffer("k_cache"), spec.cache,
                                                          base + key * padded + quad);
                                     return Values{fma(query[quad], v, sum[0])};
                                   });
          Value score = keepScore(key, codes.scaled(k.buffer("k_cache"), kvHead, key, sum(products[0])));
          return Values{max(in[0], score)};
        });
    if (own)
      largest = k.choose(
          fresh & ((newest - begin) % threads == t), // whose turn it would be
          [&] {
            Values products = k.loop(k.u32(0), k.u32(quads), k.u32(1), {k.zero4()},
                                     [&](Value quad, llvm::ArrayRef<Value> sum) {
                                       return Values{fma(query[quad], own->key()[quad], sum[0])};
                                     });
            return Values{max(largest[0], keepScore(newest, own->scaledKey(sum(products[0]))))};
          },
          [&] { return largest; });
    Value maximum = k.reduceMax(scratch, largest[0]);
    const bool takesSink = spec.sinks && spec.single; // of several splits their combination takes it, once
    if (takesSink)
      maximum = max(maximum, k.buffer("sinks")[head]);

    Values sums =
        k.loop(t, end - begin, k.u32(threads), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
          Value p = exp(weights[i] - maximum);
          weights.store(i, p);
          return Values{in[0] + p};
        });
    Value total = k.reduceSum(scratch, sums[0]); // its barriers also publish the weights
    if (takesSink)
      total = total + exp(k.buffer("sinks")[head] - maximum);

    const uint32_t slices = threads / columns;
    Values mine; // quads
    for (uint32_t turn = 0; turn < turns(); ++turn)
      mine.push_back(min(t % columns + turn * columns, k.u32(quads - 1)));
    Values output = k.loop(t / columns, cached - begin, k.u32(slices), Values(turns(), k.zero4()),
                           [&](Value i, llvm::ArrayRef<Value> in) {
                             Value weight = k.splat4(codes.scaled(k.buffer("v_cache"), kvHead, begin + i, weights[i]));
                             Values next;
                             for (uint32_t turn = 0; turn < turns(); ++turn) {
                               Value v = loadCache4(k.buffer("v_cache"), spec.cache,
                                                    base + (begin + i) * padded + mine[turn]);
                               next.push_back(fma(weight, v, in[turn]));
                             }
                             return next;
                           });
    if (own)
      output = k.choose(
          fresh & ((newest - begin) % slices == t / columns),
          [&] {
            Value weight = k.splat4(own->scaledValue(weights[newest - begin]));
            Values next;
            for (uint32_t turn = 0; turn < turns(); ++turn)
              next.push_back(fma(weight, own->value()[mine[turn]], output[turn]));
            return next;
          },
          [&] { return output; });
    for (uint32_t turn = 0; turn < turns(); ++turn)
      partial.store(t + turn * threads, output[turn]);
    k.barrier();
    eachQuad(always, [&](Value quad) {
      Value at = turns() == 1 ? quad : quad % columns + quad / columns * threads, result = partial[at];
      for (uint32_t s = 1; s < slices; ++s)
        result = result + partial[at + s * columns];
      finish(quad, result, maximum, total);
    });
    if (spec.combines)
      combineIfLast();
  }

  // The workgroup that finds all others of its head done combines, and leaves the count as it was for the next dispatch.
  void combineIfLast() {
    Value t = k.thread(), last = (visible.end + (kDecodeSplit - 1)) / kDecodeSplit - visible.begin / kDecodeSplit - 1;
    k.deviceBarrier();
    k.when(t == 0, [&] { before.store(0u, k.atomicAdd(k.buffer("done"), head, k.u32(1))); });
    k.deviceBarrier();
    eachQuad(before[0u] == last, [&](Value quad) { combineSplits(k, spec, visible, head, quad); });
    k.when((before[0u] == last) & (t == 0), [&] { k.buffer("done").store(head, k.u32(0)); });
  }

  // `result` is column quad t of the weighted sum.
  void finish(Value t, Value result, Value maximum, Value total) {
    if (!spec.single) { // of several splits
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
  const uint32_t threads, quads, columns;
  Buffer query, weights, scratch, partial, before;
  Visible visible;
  std::optional<DecodeRow> own;
  Value split, head;
};

constexpr uint32_t kCombineThreads = 64;

// One workgroup a head, whose invocations take the quads in turn: heads of latent attention have more than 64.
void buildCombine(KernelBuilder &k, const AttentionCombineSpec &spec) {
  Visible visible(k, k.push(kWindow), k.push(kChunk), spec.cross);
  Value head = k.group();
  k.eachShare(kCombineThreads, headQuads(spec.headDim), (k.buffer("state")[state::kCount] != 0) & (head < k.push(kNumHeads)),
              [&](Value quad) { combineSplits(k, spec, visible, head, quad); });
}

} // namespace

static llvm::Expected<BuiltKernel> build(mlir::MLIRContext &context, const AttentionDecodeSpec &spec, uint32_t threads,
                                         std::vector<std::string> features) {
  Element rows = HeadRows::element(spec.singleFloats());
  std::vector<Element> elements = {Element::U32, rows, cacheElement(spec.cache),
                                   cacheElement(spec.cache), spec.splits() ? Element::F32x4 : rows};
  if (spec.combines)
    elements.insert(elements.end(), {Element::F32x4, Element::U32});
  if (spec.sinks)
    elements.push_back(Element::F32);
  if (spec.caches)
    elements.insert(elements.end(), {rows, rows});
  elements.resize(spec.bindings().size(), Element::F32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {threads, 1, 1});
  AttentionDecode(k, spec, threads).build();
  return k.finish(std::move(features));
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const AttentionDecodeSpec &spec) {
  auto portable = build(context, spec, 64, {});
  return spec.caches ? preferring(std::move(portable), build(context, spec, 8, {"subgroup_size_8"})) : std::move(portable);
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context,
                                       const AttentionCombineSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4,
                                   HeadRows::element(spec.singleFloats())};
  elements.resize(spec.bindings().size(), Element::F32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {kCombineThreads, 1, 1});
  buildCombine(k, spec);
  return k.finish();
}

} // namespace xfmr::codegen
