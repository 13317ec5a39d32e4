// The contract of the three attention kernels: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Attention.h"

namespace xfmr::codegen {

std::string headDimFault(uint32_t headDim, bool latent) {
  if (isHeadDim(headDim, latent))
    return "";
  return "head_dim is " + std::to_string(headDim) + ", expected 1 to " +
         std::to_string(latent ? kMaxLatentDim : kMaxHeadDim);
}

std::string AttentionDecodeSpec::name() const {
  return "attention_decode_d" + std::to_string(headDim) + "_" + toString(cache) +
         (single ? "_single" : "") + (softcap ? "_softcap" : "") + (sinks ? "_sinks" : "") + (alibi ? "_alibi" : "") +
         (bias ? "_bias" : "") + (cross ? "_cross" : "") + (latent ? "_latent" : "") + (unaligned ? "_unaligned" : "") +
         (combines ? "_combines" : "") + (caches ? std::string("_caches_") + word(style) : "") + (qNorm ? "_q_norm" : "") +
         (kNorm ? "_k_norm" : "") + (unitOffset ? "_unit_offset" : "");
}

std::vector<Binding> AttentionDecodeSpec::bindings() const {
  const Access inCache = caches ? Access::ReadWrite : Access::Read;
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"q", Access::Read},
                                 {"k_cache", inCache, stored(cache)},
                                 {"v_cache", inCache, stored(cache)},
                                 {splits() ? "partial" : "out", Access::Write}};
  if (combines) {
    result.push_back({"partial", Access::ReadWrite});
    result.push_back({"done", Access::ReadWrite, Stored::I32});
  }
  if (sinks)
    result.push_back({"sinks", Access::Read});
  if (caches) {
    result.push_back({"k", Access::Read});
    result.push_back({"v", Access::Read});
  }
  addTurn(result, style, qNorm, kNorm);
  if (bias)
    result.push_back({"bias", Access::Read});
  return result;
}

std::vector<uint32_t> AttentionDecodeParams::push() const {
  return {numHeads, numKvHeads, maxContext,       decodeSplits(maxContext),
          qOffset,  outOffset,  floatBits(scale), floatBits(softcap),
          window,   chunk,      floatBits(alibi), alibiHeads(numHeads),
          kOffset,  vOffset,    rotaryDim,        floatBits(eps)};
}

std::array<uint32_t, 3> AttentionDecodeParams::grid(const AttentionDecodeSpec &spec) const {
  return linearGrid(uint64_t(numHeads) * (spec.single ? 1 : decodeSplits(maxContext)));
}

std::string AttentionCombineSpec::name() const {
  return "attention_combine_d" + std::to_string(headDim) + (sinks ? "_sinks" : "") +
         (cross ? "_cross" : "") + (unaligned ? "_unaligned" : "");
}

std::vector<Binding> AttentionCombineSpec::bindings() const {
  std::vector<Binding> result = {
      {"state", Access::Read, Stored::I32}, {"partial", Access::Read}, {"out", Access::Write}};
  if (sinks)
    result.push_back({"sinks", Access::Read});
  return result;
}

// The same words as attention_decode; those it does not need are 0.
std::vector<uint32_t> AttentionCombineParams::push() const {
  return {numHeads, 0, maxContext, decodeSplits(maxContext), 0, outOffset, 0, 0, window, chunk};
}

std::array<uint32_t, 3> AttentionCombineParams::grid(const AttentionCombineSpec &) const {
  return linearGrid(numHeads);
}

std::string AttentionPrefillSpec::name() const {
  return "attention_prefill_d" + std::to_string(headDim) + "_" + toString(cache) +
         (causal ? "_causal" : "") + (softcap ? "_softcap" : "") + (sinks ? "_sinks" : "") + (alibi ? "_alibi" : "") +
         (chunked ? "_chunked" : "") + (bias ? "_bias" : "") + (cross ? "_cross" : "") + (latent ? "_latent" : "") +
         (unaligned ? "_unaligned" : "");
}

std::vector<Binding> AttentionPrefillSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"q", Access::Read},
                                 {"k_cache", Access::Read, stored(cache)},
                                 {"v_cache", Access::Read, stored(cache)},
                                 {"out", Access::Write}};
  if (sinks)
    result.push_back({"sinks", Access::Read});
  if (bias)
    result.push_back({"bias", Access::Read});
  return result;
}

std::vector<uint32_t> AttentionPrefillParams::push() const {
  return {numHeads,   numKvHeads, maxContext,       q.stride,           q.offset,
          out.stride, out.offset, floatBits(scale), floatBits(softcap), window,
          chunk,      floatBits(alibi), alibiHeads(numHeads)};
}

std::array<uint32_t, 3> AttentionPrefillParams::grid(const AttentionPrefillSpec &spec) const {
  uint32_t queries = queryTile(spec.headDim);
  return linearGrid(uint64_t((maxRows + queries - 1) / queries) * numHeads);
}

// What the three kernels' params have in common.
static std::string headsFault(uint32_t numHeads, uint32_t numKvHeads, uint32_t maxContext) {
  if (!numHeads || !numKvHeads || numHeads % numKvHeads)
    return "num_heads " + std::to_string(numHeads) + " must be a positive multiple of num_kv_heads " +
           std::to_string(numKvHeads);
  return needsPositive("max_context", maxContext);
}

// Every key of a source counts alike.
static std::string crossFault(bool cross, bool others) {
  return cross && others ? "cross comes alone, without causal, softcap, sinks, biases and chunks" : "";
}

static std::string alibiFault(bool has, float alibi) {
  return has != (alibi > 0) ? "alibi must be positive where the kernel has it, and 0 elsewhere" : "";
}

std::string AttentionPrefillSpec::fault() const {
  return firstFault({headDimFault(headDim, latent), // C1
                     crossFault(cross, causal || softcap || sinks || alibi || chunked || bias), // C2
                     latent && headDim % 8 ? "a latent head_dim must be a multiple of 8" : "", // C3
                     latent && (bias || cross) ? "latent comes without bias and cross" : ""}); // C4
}

std::string AttentionPrefillParams::fault(const AttentionPrefillSpec &spec) const {
  return firstFault({headsFault(numHeads, numKvHeads, maxContext), needsPositive("max_rows", maxRows),
                     spec.chunked != (chunk > 0) ? "chunk must be positive where the kernel is chunked, and 0 elsewhere" : "",
                     alibiFault(spec.alibi, alibi),
                     needsAligned(spec.unaligned, unaligned())});
}

std::string AttentionDecodeSpec::fault() const {
  return firstFault({headDimFault(headDim, latent), // C1
                     sinks && splits() ? "sinks need single or combines" : "", // C2
                     single && combines ? "single leaves nothing that combines" : "", // C3
                     !caches && (style != RopeStyle::None || qNorm || kNorm) ? "style and norms need caches" : "", // C4
                     unitOffset && !qNorm && !kNorm ? "unit_offset needs q_norm or k_norm" : "", // C5
                     caches && splits() ? "caches need single or combines" : "", // C6
                     crossFault(cross, softcap || sinks || alibi || bias || caches), // C7
                     latent && headDim % 8 ? "a latent head_dim must be a multiple of 8" : "", // C8
                     latent && (bias || cross || combines || caches) // C9
                         ? "latent comes without bias, cross, combines and caches" : ""});
}

std::string AttentionDecodeParams::fault(const AttentionDecodeSpec &spec) const {
  return firstFault({headsFault(numHeads, numKvHeads, maxContext), rotaryFault(rotaryDim, spec.headDim, spec.style),
                     alibiFault(spec.alibi, alibi),
                     needsAligned(spec.unaligned, unaligned())});
}

std::string AttentionCombineSpec::fault() const {
  return headDimFault(headDim, /*latent=*/true); // C1; sums are alike
}

std::string AttentionCombineParams::fault(const AttentionCombineSpec &spec) const {
  return firstFault({headsFault(numHeads, 1, maxContext), needsAligned(spec.unaligned, unaligned())});
}

} // namespace xfmr::codegen
