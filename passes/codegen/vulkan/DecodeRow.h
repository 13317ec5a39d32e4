// The row of the token that attention_decode works on, with `caches`: query, key and value of one head as the projections left
// them, normed and rotated, the key and value also as the caches hold them. Every workgroup that needs the token's key makes it
// anew; one of those of a key/value head writes it to the caches.
#pragma once
#include "passes/codegen/Attention.h"
#include "passes/codegen/vulkan/CacheCodes.h"

namespace xfmr::codegen {

class DecodeRow {
public:
  // Where the push words of AttentionDecodeParams lie that are read here.
  struct Words {
    uint32_t qOffset, kOffset, vOffset, rotaryDim, eps;
  };

  // `threads`: of the workgroup. Those that are more than a head has quads have no quad, fewer take turns.
  DecodeRow(KernelBuilder &k, const AttentionDecodeSpec &spec, Words words, uint32_t threads);

  // Fills `query`, and where `fresh`, which is the same in the whole workgroup, the key and value of the token; `writes`: into the
  // caches too, where the head's row begins at quad `row`. Ends with a barrier.
  void build(const Buffer &query, Value head, Value kvHead, Value position, Value fresh, Value writes, Value row,
             const CacheCodes &codes);

  // Quads of the token's key and value as loadCache4 would give them.
  const Buffer &key() const { return heldKey; }
  const Buffer &value() const { return heldValue; }
  // As CacheCodes::scaled of the token's position.
  Value scaledKey(Value v) const { return scales.present ? v * scales.both[0u] : v; }
  Value scaledValue(Value v) const { return scales.present ? v * scales.both[1u] : v; }

private:
  void eachQuad(Value condition, llvm::function_ref<void(Value quad)> body);
  Value load(const char *name, uint32_t offset, Value number, Value quad);
  void stage(const Buffer &head, const Buffer &squares, Value quad, Value vector, bool norm);
  Value factor(const Buffer &squares, bool norm);
  Value turned(const Buffer &head, llvm::StringRef norm, Value factor, Value position, Value quad);
  void hold(const char *name, const Buffer &head, const Buffer &held, uint32_t which, Value quad, Value row, Value writes,
            Value position, Value kvHead, const CacheCodes &codes);

  KernelBuilder &k;
  const AttentionDecodeSpec &spec;
  const Words words;
  const uint32_t threads, quads;
  Buffer queryHead, keyHead, querySquares, keySquares, keyQuads, valueQuads, heldKey, heldValue;
  struct {
    bool present = false;
    Buffer both;
  } scales;
};

} // namespace xfmr::codegen
