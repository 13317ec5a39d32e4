// What the contracts of this folder have in common: how a kernel is described to those who choose, bind and
// verify it. It holds no MLIR types, and no code that builds a kernel: the dialect wraps these structs as
// attributes (dialect/kernels), the builders lie in vulkan/ and cpu/.
//
// A kernel XYZ has two plain structs. XyzSpec is what its code depends on: equal specs have equal name(), other
// specs other ones. XyzParams are the facts of one dispatch: shapes, offsets, scalars; on Vulkan they become push
// words and a grid, on the CPU constants of the code.
#pragma once
#include "passes/codegen/Fields.h"
#include "passes/codegen/QuantScheme.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace xfmr::codegen {

// How matrix weights lie in memory; f16 and bf16 are two values a 32-bit word, even element low. Quantised ones lie on every
// target in panels of sixteen rows, codes and scales as weights/QuantRows.h says. Q8 and Q4, codes of 8 and 4 bits in groups of 32
// columns, are symmetric with a scale of f16; Q8Wide and Q4Wide have a scale and a minimum of f32. Fine ones have groups of 16
// columns and scales of f32: symmetric with codes of 8, 6 or 4 bits, FineWide with a minimum of f32 and codes of 8 or 4.
enum class WeightType : uint8_t { F32, F16, BF16, Q8, Q4, Q8Wide, Q4Wide, Q8Fine, Q6Fine, Q4Fine, Q8FineWide, Q4FineWide };
template <> struct Words<WeightType> {
  static constexpr const char *all[] = {"f32",     "f16",     "bf16",    "q8",      "q4",           "q8_wide",
                                        "q4_wide", "q8_fine", "q6_fine", "q4_fine", "q8_fine_wide", "q4_fine_wide"};
};
// The scheme of a quantised type.
constexpr std::optional<QuantScheme> schemeOf(WeightType type) {
  switch (type) {
  case WeightType::Q8: return QuantScheme{QuantCode::int8, 32, QuantScale::f16};
  case WeightType::Q4: return QuantScheme{QuantCode::int4, 32, QuantScale::f16};
  case WeightType::Q8Wide: return QuantScheme{QuantCode::int8, 32, QuantScale::f32, true};
  case WeightType::Q4Wide: return QuantScheme{QuantCode::int4, 32, QuantScale::f32, true};
  case WeightType::Q8Fine: return QuantScheme{QuantCode::int8, 16, QuantScale::f32};
  case WeightType::Q6Fine: return QuantScheme{QuantCode::int6, 16, QuantScale::f32};
  case WeightType::Q4Fine: return QuantScheme{QuantCode::int4, 16, QuantScale::f32};
  case WeightType::Q8FineWide: return QuantScheme{QuantCode::int8, 16, QuantScale::f32, true};
  case WeightType::Q4FineWide: return QuantScheme{QuantCode::int4, 16, QuantScale::f32, true};
  default: return std::nullopt;
  }
}
// Whether sixteen columns share a scale, not 32.
constexpr bool isFine(WeightType type) {
  return type >= WeightType::Q8Fine;
}
// The type that holds weights of a scheme exactly, the narrowest; nothing where none does (groups that are no multiple of
// 16, code books that are no multiples of one number).
std::optional<WeightType> weightTypeOf(const QuantScheme &scheme);
// Bytes of a row of so many columns, padded as it lies in memory.
uint64_t rowBytes(WeightType type, uint32_t columns);
// Element type of the key and value caches. Q8: bytes in two's complement, and behind those of all heads and positions a scale of
// f32 for each head of a position (cacheScales below).
enum class CacheType : uint8_t { F32, F16, Q8 };
template <> struct Words<CacheType> {
  static constexpr const char *all[] = {"f32", "f16", "q8"};
};
// None, and those of Activations.def: Silu, Gelu (the exact one), GeluTanh, …
#define XFMR_ACTIVATION(Name, word, keepsZero, formula) Name,
enum class Activation : uint8_t {
  None,
#include "passes/codegen/Activations.def"
};
#undef XFMR_ACTIVATION
template <> struct Words<Activation> {
#define XFMR_ACTIVATION(Name, word, keepsZero, formula) #word,
  static constexpr const char *all[] = {"none",
#include "passes/codegen/Activations.def"
  };
#undef XFMR_ACTIVATION
};

// The word of an enumerator.
template <class E> const char *word(E value) {
  return Words<E>::all[static_cast<size_t>(value)];
}

// Same values as program.Access in runtime/artifact/Program.fbs.
enum class Access : uint8_t { Read = 0, Write = 1, ReadWrite = 2 };

template <> struct Words<Access> {
  static constexpr const char *all[] = {"read", "write", "readwrite"};
};

// What a buffer holds; Mixed: words of several kinds.
enum class Stored : uint8_t { F32, F16, BF16, I32, I8, Mixed };
constexpr Stored stored(WeightType type) {
  return type == WeightType::F32   ? Stored::F32
         : type == WeightType::F16 ? Stored::F16
         : type == WeightType::BF16 ? Stored::BF16
                                    : Stored::I8;
}
constexpr Stored stored(CacheType type) {
  return type == CacheType::F32 ? Stored::F32 : type == CacheType::F16 ? Stored::F16 : Stored::I8;
}

// One storage buffer of a kernel; its index in bindings() is its binding number in descriptor set
// 0.
struct Binding {
  std::string name; // "state", "x", "weight", ...
  Access access;
  Stored holds = Stored::F32;
};

// Where the rows of an activation matrix lie inside a buffer, in floats. Row t, column c is element
// offset + t * stride + c. A stride of 0 reads one row for every t. Both are multiples of 4, except
// where a spec has a field `unaligned`: with it a kernel takes any, and moves single floats there
// instead of vectors of four.
struct Rows {
  uint32_t stride = 0;
  uint32_t offset = 0;
  bool aligned() const { return (stride | offset) % 4 == 0; }
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("stride", self.stride); f("offset", self.offset);
  }
};

// What a matrix product does with its sum before storing it, in this order:
//   v = sum + bias;  v = activation(v), or with glu: v_j = activation(v_2j) * v_2j+1;
//   v = v * scale;  v = softcap * tanh(v / softcap);  v = v + residual
struct Epilogue {
  bool bias = false;
  Activation activation = Activation::None; // one that keeps zero, unless glu
  bool glu = false; // weight rows 2j and 2j+1 are gate j and up j; the output is half as wide
  bool scale = false;
  bool softcap = false;
  bool residual = false;

  // "_bias_glu_silu_residual": the part of a kernel's name that says what its epilogue does.
  std::string suffix() const;
  // [, bias r] [, residual r]
  void appendBindings(std::vector<Binding> &bindings) const;
  // How many blocks of four weight rows the output has, pad included: with glu, those beyond the
  // weight's own paddedWidth(n) / 4 only write zeros.
  uint32_t outBlocks(uint32_t n) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("bias", self.bias); f("activation", self.activation); f("glu", self.glu);
    f("scale", self.scale); f("softcap", self.softcap); f("residual", self.residual);
  }
};

// The values for an Epilogue's parts that are present. biasOffset in floats, a multiple of 4
// (of 4 gate/up rows with glu).
struct EpilogueParams {
  uint32_t biasOffset = 0;
  Rows residual;
  float scale = 1.0f;
  float softcap = 1.0f;

  void push(std::vector<uint32_t> &words) const;
  std::string fault(const Epilogue &epilogue, uint32_t n) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("bias_offset", self.biasOffset); f("residual", self.residual); f("scale", self.scale);
    f("softcap", self.softcap);
  }
};

// Width of a stored row: the next multiple of 8. Columns beyond the logical width hold zeros.
constexpr uint32_t paddedWidth(uint32_t width) {
  return (width + 7) / 8 * 8;
}

// Words of 32 bits from a row to the next where rows of `words` lie one behind the other in a buffer that only the CPU knows. Rows a
// multiple of 2 KiB apart share two of the sets of a first cache of 64 sets of lines, and those of a block of a product push each other
// out: they lie a line further apart.
constexpr uint32_t rowStride(uint32_t words) {
  constexpr uint32_t kLine = 16, kShared = 512;
  return words % kShared ? words : words + kLine;
}

// A head of a position in a cache of Q8 with scale s = max |x| / 127 holds the integers x / s, rounded to nearest; all zeros have
// s = 0. Scales of a head follow one another, [kv heads][cacheScales(max_context)].
constexpr uint32_t cacheScales(uint32_t maxContext) {
  return (maxContext + 15) / 16 * 16;
}
constexpr uint32_t cacheElementBytes(CacheType type) {
  return type == CacheType::F32 ? 4 : type == CacheType::F16 ? 2 : 1;
}
// Bytes of the keys, or values, of one head of one position.
constexpr uint64_t cacheHeadBytes(CacheType type, uint32_t headDim) {
  return uint64_t(paddedWidth(headDim)) * cacheElementBytes(type) + (type == CacheType::Q8 ? 4 : 0);
}

// The grid of a kernel that takes the linear number of a workgroup and returns when it is beyond the last: all in x.
std::array<uint32_t, 3> linearGrid(uint64_t groups);
// As a target takes it that has at most `most` workgroups a dimension: a linear grid beyond that is folded into x and y,
// whose number is y * gridDim.x + x. Others stay as they are.
std::array<uint32_t, 3> foldGrid(std::array<uint32_t, 3> grid, uint64_t most);

// The part of the fault of a product's spec that `codes` makes.
std::string codesFault(bool codes, WeightType weight);
// The same of `pairs`.
std::string pairsFault(bool pairs, WeightType weight);

// As word(), under the name that kernels' names are made with.
inline const char *toString(WeightType type) {
  return word(type);
}
inline const char *toString(CacheType type) {
  return word(type);
}
inline const char *toString(Activation activation) {
  return word(activation);
}

// Whether activation(0) is 0: only then do pads of zeros stay zeros.
bool keepsZero(Activation activation);

// The parts of fault()s: the first of several texts that says something, a field that must be positive, offsets and
// strides that must be multiples of 4.
std::string firstFault(std::initializer_list<std::string> faults);
std::string needsPositive(const char *field, uint32_t value);
std::string needsQuads(const char *field, uint32_t value);
std::string needsQuads(const char *field, const Rows &rows);
// Kernels that take rows from anywhere do so only where the spec says so; true in the spec alone does no harm.
std::string needsAligned(bool specUnaligned, bool paramsUnaligned);

} // namespace xfmr::codegen
