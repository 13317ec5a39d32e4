// A small layer over the vector, memref, arith, math and scf builders, so that a CPU kernel reads much like C. It makes
// one func.func of a module of its own,
//
//   func.func @NAME.LEVEL(%state: memref<?xi32>, %x: memref<?xf32>, …, %lo: index, %hi: index)
//
// one buffer a binding in binding order, around a loop over the tiles lo … hi-1. lowerToLLVM (Lower.h) turns it into
// `void NAME.LEVEL(void *const *buffers, int64_t lo, int64_t hi)`. Vectors may be longer than a register of the level:
// LLVM takes them apart, and sums come out the same at every level. It knows nothing of any one kernel.
//
//   KernelBuilder k(context, name, spec.bindings(), {Element::U32, Element::F32, Element::F32}, level);
//   k.tiles([&](Value tile) {
//     k.when(tile < k.state(state::kCount), [&] {
//       Value at = tile * width;
//       k.loop(0, width, 16, [&](Value c) { k.buffer("out").store(at + c, k.buffer("x").load(at + c, 16) * 2.0f); });
//     });
//   });
//   return k.finish();
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/codegen/Kernel.h"
#include "passes/codegen/cpu/Level.h"
#include "passes/codegen/cpu/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr::codegen::cpu {

// What a buffer is an array of. F16 and BF16 are widened to f32 by loads and rounded by stores (ties to even); I8 are integers in
// two's complement, f32 to those who load and store them.
enum class Element : uint8_t { U32, F32, F16, BF16, I8 };

Element elementOf(WeightType type);
Element elementOf(CacheType type);

// A binding or an array on the stack; positions are in elements.
class Buffer {
public:
  Value operator[](Value index) const; // one element
  Value operator[](uint64_t index) const;
  Value load(Value index, unsigned lanes) const; // a vector; no alignment is asked for
  // The first `valid` of `lanes` elements, zeros behind; nothing beyond them is read.
  Value loadFirst(Value index, unsigned lanes, unsigned valid) const;
  Value loadFirst(Value index, unsigned lanes, Value valid) const;
  // Numbers of f32 in a buffer of I8, from a byte on.
  Value loadFloats(Value byte, unsigned lanes) const;
  void storeFloat(Value byte, Value number) const;
  // One element of another buffer of this element type, as it is.
  void copy(Value index, Buffer from, Value at) const;
  void store(Value index, Value value) const; // a scalar or a vector
  void store(uint64_t index, Value value) const;
  // The first `valid` lanes; nothing beyond them is written.
  void storeFirst(Value index, Value vector, unsigned valid) const;
  void storeFirst(Value index, Value vector, Value valid) const;
  // Where an element lies, for instructions that read or write memory themselves: a pointer of the llvm dialect.
  mlir::Value address(Value index) const;
  // Asks memory for the line of an element, which may lie beyond the buffer.
  void prefetch(Value index) const;

private:
  friend class KernelBuilder;
  mlir::Value raw(Value index, unsigned lanes) const;
  Value widen(mlir::Value loaded) const;
  mlir::Value narrow(Value value) const;
  void noteLoad() const;
  void noteStore() const;
  KernelBuilder *builder = nullptr;
  mlir::Value memory;
  Element element = Element::F32;
  int binding = -1; // -1: stack
};

class KernelBuilder {
public:
  // `elements` gives the element type of each binding. Dialects are loaded into `context`.
  KernelBuilder(mlir::MLIRContext &context, llvm::StringRef name, std::vector<Binding> bindings,
                std::vector<Element> elements, Level level);
  KernelBuilder(const KernelBuilder &) = delete;

  Level level() const { return level_; }
  const LevelFacts &facts() const { return cpu::facts(level_); }

  Buffer buffer(unsigned binding);
  // The binding called `name`; the spec must have it.
  Buffer buffer(llvm::StringRef name);
  // An array on the stack of this call, aligned to 64 bytes; what it holds at first is undefined.
  Buffer stack(Element element, uint64_t size);

  Value state(uint32_t word); // a word of the state buffer as an index, read once a call
  Value index(uint64_t number);
  Value u32(uint32_t number);
  Value f32(float number);
  Value zeros(unsigned lanes); // f32
  Value lane(unsigned lanes);  // index vector 0, 1, 2, …
  // A vector of scalars.
  Value vector(llvm::ArrayRef<Value> scalars);

  // The kernel's body: once, around everything but stack arrays.
  void tiles(llvm::function_ref<void(Value tile)> body);

  void when(Value condition, llvm::function_ref<void()> body);
  // Only the side taken is evaluated.
  Values choose(Value condition, llvm::function_ref<Values()> yes, llvm::function_ref<Values()> no);
  // for (i = low; i < high; i += step), carrying values; returns what is carried out.
  Values loop(Value low, Value high, uint64_t step, llvm::ArrayRef<Value> init,
              llvm::function_ref<Values(Value i, llvm::ArrayRef<Value> carried)> body);
  void loop(Value low, Value high, uint64_t step, llvm::function_ref<void(Value i)> body);
  void loop(uint64_t low, uint64_t high, uint64_t step, llvm::function_ref<void(Value i)> body);

  // Closes the kernel and verifies it. Fails if the code and the declared access disagree: a "read" binding that is
  // stored to, a "write" binding that is loaded or never stored.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> finish();

  mlir::ImplicitLocOpBuilder &ops() { return builder; }
  mlir::Type type(Element element); // as it lies in memory

private:
  friend class Buffer;
  Value wrap(mlir::Value value) { return Value(this, value); }
  // Runs `emit` with the insertion point at the start of the function.
  mlir::Value atEntry(llvm::function_ref<mlir::Value()> emit);

  Level level_;
  std::string name;
  std::vector<Binding> bindings;
  std::vector<Element> elements;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::ImplicitLocOpBuilder builder;
  mlir::Block *entry = nullptr;
  std::vector<Value> stateWords;
  std::vector<bool> loaded, stored;
};

} // namespace xfmr::codegen::cpu
