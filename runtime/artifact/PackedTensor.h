// A matrix of a quantised checkpoint that several tensors of its files stand for: the facts that its configuration gives, and
// the tensors where they lie. docs/Formats.md has the bits.
#pragma once
#include "runtime/artifact/Safetensors.h"

namespace xfmr {

enum class Packing : uint8_t {
  gptq,  // words of rows of the input, [in / per word, out]
  awq,   // words of rows of the output, [in, out / 8], nibbles in an order of their own
  words, // compressed-tensors pack-quantized: words along a row, [out, in / per word]
  bytes, // compressed-tensors int-quantized: signed bytes
  f8,    // E4M3 numbers times a scale a tensor, a row or a block: no codes
  mxfp4, // two codes of e2m1 a byte, scales of powers of two
  nf4,   // two codes a byte, the first one high; scales may be codes of a book themselves
};

struct PackedTensor {
  TensorView view; // as others see it: name and shape of the matrix, no dtype of its own
  Packing packing = Packing::gptq;
  int bits = 4;
  int64_t group = 0;  // columns that share a scale; 0: all of a row
  int zeroOffset = 0; // added to stored zeros
  const TensorView *codes = nullptr, *scales = nullptr;
  const TensorView *zeros = nullptr; // null where every zero is half the range of codes
  int64_t blockRows = 1;             // f8: rows that share a scale; 0: all
  // nf4 with scales in bytes: scale = map[byte] * outer[block / outerBlock] + offset
  const TensorView *outerScales = nullptr, *outerMap = nullptr;
  int64_t outerBlock = 256;
  double outerOffset = 0;
};

} // namespace xfmr
