// What every kernel of this folder has in common: how a kernel is described to the passes that
// choose and bind it (Binding, Rows, Epilogue), and what compiling one gives (CompiledKernel). It
// holds no MLIR types: select-kernels and the emitter need nothing else to use a kernel.
//
// A kernel XYZ has two plain structs. XyzSpec is the codegen key: everything the SPIR-V depends on;
// equal specs have equal name() and share one compiled kernel. XyzParams are the facts of one
// dispatch: shapes, offsets, scalars; they give the push words and the grid.
#pragma once
#include "llvm/Support/Error.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class MLIRContext;
}

namespace xfmr::codegen {

// How matrix weights lie in memory; f16 and bf16 are two values a 32-bit word, even element low.
enum class WeightType : uint8_t { F32, F16, BF16 };
// Element type of the key and value caches.
enum class CacheType : uint8_t { F32, F16 };
// Gelu is the exact one (erf), GeluTanh its tanh approximation.
enum class Activation : uint8_t { None, Silu, Gelu, GeluTanh, Relu, Sigmoid, Tanh };

// Same values as program.Access in runtime/artifact/Program.fbs.
enum class Access : uint8_t { Read = 0, Write = 1, ReadWrite = 2 };

// One storage buffer of a kernel; its index in bindings() is its binding number in descriptor set
// 0.
struct Binding {
  std::string name; // "state", "x", "weight", ...
  Access access;
};

// Where the rows of an activation matrix lie inside a buffer, in floats. Both are multiples of 4.
// Row t, column c is element offset + t * stride + c. A stride of 0 reads one row for every t.
struct Rows {
  uint32_t stride = 0;
  uint32_t offset = 0;
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
};

// The values for an Epilogue's parts that are present. biasOffset in floats, a multiple of 4
// (of 4 gate/up rows with glu).
struct EpilogueParams {
  uint32_t biasOffset = 0;
  Rows residual;
  float scale = 1.0f;
  float softcap = 1.0f;
};

// Width of a stored row: the next multiple of 8. Columns beyond the logical width hold zeros.
constexpr uint32_t paddedWidth(uint32_t width) {
  return (width + 7) / 8 * 8;
}

// Dispatch sizes are limited to 65535 a dimension: folds `groups` into x and y. Kernels take the
// linear number y * gridDim.x + x and return when it is beyond the last.
std::array<uint32_t, 3> foldGrid(uint64_t groups);

// The bits of a float as a push word.
uint32_t floatBits(float value);

const char *toString(WeightType type); // "f32", "f16", "bf16"
const char *toString(CacheType type);
// "none", "silu", "gelu", "gelu_tanh", "relu", "sigmoid", "tanh"
const char *toString(Activation activation);
// Whether activation(0) is 0: only then do pads of zeros stay zeros.
bool keepsZero(Activation activation);

struct Variant {
  std::string entry; // name of the entry point
  std::vector<std::string>
      features;                // device features it needs ("subgroup_arithmetic"); empty: portable
  std::vector<uint32_t> words; // SPIR-V 1.3 for Vulkan 1.1
};

struct CompiledKernel {
  std::string name; // the spec's name()
  std::array<uint32_t, 3>
      workgroupSize; // of the portable variant; others may have fewer invocations
  std::vector<Binding> bindings;
  uint32_t sharedBytes = 0; // workgroup memory, the largest of the variants
  std::vector<Variant>
      variants; // best first, the portable one last; all take the same push words and grid

  // Puts the variants of another build of the same kernel in front.
  void prefer(CompiledKernel tuned);
};

} // namespace xfmr::codegen
