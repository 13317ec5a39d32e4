// A small layer over the gpu, arith, math, scf, memref and vector builders, so that a kernel reads
// much like its GLSL. A Value is a 32-bit scalar (u32, f32 or bool) or a vector of 2 or 4 of them,
// with the arithmetic of passes/codegen/builder. Buffers are one-dimensional arrays of one element type. It knows nothing
// of any one kernel.
//
//   KernelBuilder k(context, spec.name(), spec.bindings(), {Element::U32, …}, {64, 1, 1});
//   Value i = k.group() * 64 + k.thread();
//   k.when(i < k.push(0), [&] { k.buffer(2).store(i, k.buffer(1)[i] * 2.0); });
//   return k.finish();
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/codegen/builder/Arithmetic.h"
#include "passes/codegen/vulkan/Kernels.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr::codegen {

class KernelBuilder;

using Value = BasicValue<KernelBuilder>;
using Values = llvm::SmallVector<Value, 8>;

Value sum(Value vector);                  // of the four lanes
Value dot(Value a, Value b, Value start); // start + sum of a_i * b_i, a chain of fma
Value rsqrt(Value a);
Value unpackHalf(Value word);          // two f16 in a word -> two f32, low half first
Value packHalf(Value low, Value high); // two f32 -> two f16 in a word
Value unpackBfloat(Value word);        // two bf16 in a word -> two f32, low half first

enum class Element : uint8_t { U32, F32, F32x2, F32x4, U32x2, U32x4 };

// A storage buffer or a workgroup array, addressed in elements of its type.
class Buffer {
public:
  Value operator[](Value index) const;
  Value operator[](uint32_t index) const;
  void store(Value index, Value value) const;
  void store(uint32_t index, Value value) const;
  mlir::Value memref() const { return memory; } // for operations of its own on workgroup memory

private:
  friend class KernelBuilder;
  KernelBuilder *builder = nullptr;
  mlir::Value memory;
  int binding = -1; // -1: workgroup memory
};

class KernelBuilder {
public:
  // `elements` gives the element type of each binding. Dialects are loaded into `context`.
  KernelBuilder(mlir::MLIRContext &context, std::string name, std::vector<Binding> bindings,
                std::vector<Element> elements, std::array<uint32_t, 3> workgroup);

  Buffer buffer(unsigned binding);
  // The binding called `name`; the spec must have it.
  Buffer buffer(llvm::StringRef name);
  Buffer shared(Element element, uint32_t size);

  Value u32(uint32_t number);
  Value f32(float number);
  Value zero4(); // vector of four f32 zeros
  Value vector2(Value a, Value b);
  Value vector4(Value a, Value b, Value c, Value d);
  Value splat4(Value scalar);
  // Lanes of the concatenation of two vectors, as GLSL's swizzle.
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
  // Lane `lane` (a run-time number below 4) of a vector.
  Value extract(Value vector, Value lane);

  Value push(uint32_t word);      // u32
  Value pushFloat(uint32_t word); // f32
  Value thread();                 // number within the workgroup, x
  Value group();                  // linear number of the workgroup, see linearGrid
  Value groupX();
  Value groupY();
  // For variants that require subgroup features only.
  Value subgroup();                            // number within the workgroup
  Value lane();                                // number within the subgroup
  Value broadcast(Value value, uint32_t lane); // needs subgroup_shuffle
  void barrier();                              // also orders storage buffers within the workgroup

  // What invocations of other workgroups of the dispatch stored before their barrier of this kind is seen behind it by those
  // that know it to be there, by an atomic operation; of buffers that are `shareAmongGroups`.
  void deviceBarrier();
  void shareAmongGroups(const Buffer &buffer);
  // Adds to a u32, also of workgroup memory; returns what was there.
  Value atomicAdd(const Buffer &buffer, Value index, Value value);

  // This variant reads the buffer, of elements of 16 bytes, as texels: see TexelBuffers.h. finish() adds texel_buffers
  // to its features.
  void readAsTexels(const Buffer &buffer);

  void when(Value condition, llvm::function_ref<void()> body);
  // Only the side taken is evaluated.
  Values choose(Value condition, llvm::function_ref<Values()> yes, llvm::function_ref<Values()> no);
  // for (i = low; i < high; i += step), carrying values; returns what is carried out.
  Values loop(Value low, Value high, Value step, Values init,
              llvm::function_ref<Values(Value i, llvm::ArrayRef<Value> carried)> body);
  void loop(Value low, Value high, Value step, llvm::function_ref<void(Value i)> body);
  // The invocation's share of 0 … count - 1 where `threads` along x share them: one of them or none, or every threads-th.
  void eachShare(uint32_t threads, uint32_t count, Value condition, llvm::function_ref<void(Value i)> body);
  // body(i, vectors[i]) for i below `count`, at most as many as there are vectors. They rotate through
  // the first place, so that the body's code appears once.
  void rotate(Value count, const Values &vectors,
              llvm::function_ref<void(Value i, Value vector)> body);

  // Sum (or maximum) over a whole workgroup along x, a multiple of 64, the same bits in every invocation. `scratch` is workgroup
  // memory of a float an invocation and an eighth more. Contains barriers: call it in uniform control flow.
  Value reduceSum(const Buffer &scratch, Value value);
  Value reduceMax(const Buffer &scratch, Value value);

  // Closes the kernel, which is one variant. Fails if the code and the declared access disagree:
  // a "read" binding that is stored to, a "write" binding that is loaded or never stored.
  // `features` are what the device must have; none: portable.
  llvm::Expected<BuiltKernel> finish(std::vector<std::string> features = {});

  mlir::ImplicitLocOpBuilder &ops() { return builder; }
  mlir::Type type(Element element);

private:
  friend class Buffer;
  Value wrap(mlir::Value value) { return Value(this, value); }
  Values runningLoop(Value low, Value high, Value step, const Values &init,
                     llvm::function_ref<Values(Value i, llvm::ArrayRef<Value> carried)> body);
  Value reduce(const Buffer &scratch, Value value, llvm::function_ref<Value(Value, Value)> combine);
  // Runs `emit` with the insertion point at the start of the function.
  mlir::Value atEntry(llvm::function_ref<mlir::Value()> emit);
  // Adds the binding of `buffer` to those that an attribute of the gpu.module lists.
  void listBinding(const char *attribute, const Buffer &buffer);

  std::string name;
  std::vector<Binding> bindings;
  std::array<uint32_t, 3> workgroup;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::ImplicitLocOpBuilder builder;
  mlir::gpu::GPUFuncOp function;
  uint32_t sharedBytes = 0;
  std::array<mlir::Value, 16> pushWords;
  mlir::Value threadId, groupId[2], linearGroup, subgroupId, laneId;
  std::vector<bool> loaded, stored;
};

} // namespace xfmr::codegen
