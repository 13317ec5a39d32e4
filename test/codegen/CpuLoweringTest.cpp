// The road from a CPU kernel to code: what the builder makes, functions inline, what a level lacks, errors, objects and
// linking.
#include "passes/codegen/cpu/KernelBuilder.h"
#include "passes/codegen/cpu/Link.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/cpu/Object.h"
#include "mlir/Parser/Parser.h"
#include "runtime/plan/State.h"
#include "test/codegen/CpuRunner.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

namespace xfmr::codegen::cpu::test {
namespace {

const std::vector<Binding> kBindings = {{"state", Access::Read}, {"x", Access::Read}, {"out", Access::Write}};

class CpuLowering : public ::testing::Test {
protected:
  // out[i] = f(x[i]) for i < count, sixteen lanes a tile.
  KernelModule map(Level level, llvm::function_ref<Value(Value)> f, Element in = Element::F32,
                   Element out = Element::F32) {
    KernelBuilder k(context, "map", kBindings, {Element::U32, in, out}, level);
    k.tiles([&](Value tile) {
      k.when(tile * 16 < k.state(state::kCount),
             [&] { k.buffer("out").store(tile * 16, f(k.buffer("x").load(tile * 16, 16))); });
    });
    return k.finish();
  }

  template <typename In, typename Out>
  std::vector<Out> run(Level level, const std::vector<In> &x, llvm::function_ref<Value(Value)> f,
                       Element in = Element::F32, Element out = Element::F32) {
    auto kernel = CpuKernel::compile(map(level, f, in, out), "map", level);
    if (!kernel) {
      ADD_FAILURE() << llvm::toString(kernel.takeError());
      return std::vector<Out>(x.size());
    }
    std::vector<uint32_t> words(state::kWords);
    words[state::kCount] = static_cast<uint32_t>(x.size());
    std::vector<In> input = x;
    input.resize((x.size() + 15) / 16 * 16);
    std::vector<Out> result(input.size());
    kernel->run({words.data(), input.data(), result.data()}, 0, static_cast<int64_t>(result.size() / 16 + 1));
    result.resize(x.size());
    return result;
  }

  static std::string textOf(llvm::Error error) { return llvm::toString(std::move(error)); }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

TEST_F(CpuLowering, BuiltKernelReadsAsOneFunction) {
  auto module = map(Level::V4, [](Value x) { return x * 2.0f; });
  ASSERT_TRUE(bool(module)) << textOf(module.takeError());
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*module)->print(stream);
  EXPECT_NE(text.find("func.func @map.v4(%arg0: memref<?xi32>, %arg1: memref<?xf32>, %arg2: memref<?xf32>, %arg3: "
                      "index, %arg4: index)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("vector.load %arg1"), std::string::npos) << text;
  auto again = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  ASSERT_TRUE(bool(again));
}

TEST_F(CpuLowering, FunctionsAreInlineAndClose) {
  std::vector<float> x;
  for (int i = -400; i <= 400; ++i)
    x.push_back(float(i) * 0.05f);
  for (Level level : runnableLevels()) {
    auto check = [&](const char *name, llvm::function_ref<Value(Value)> f, double (*expected)(double), double tolerance) {
      std::vector<float> got = run<float, float>(level, x, f);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(got[i], expected(x[i]), tolerance * (1 + std::abs(expected(x[i]))))
            << name << "(" << x[i] << ") at " << facts(level).name;
    };
    check("exp", [](Value v) { return exp(v); }, std::exp, 1e-6);
    check("tanh", [](Value v) { return tanh(v); }, std::tanh, 1e-6);
    check("erf", [](Value v) { return erf(v); }, std::erf, 1e-6);
    check("log", [](Value v) { return log(abs(v) + 1.0f); }, [](double v) { return std::log(std::abs(v) + 1); }, 1e-6);
    check("sin", [](Value v) { return sin(v); }, std::sin, 1e-5);
    check("cos", [](Value v) { return cos(v); }, std::cos, 1e-5);
    check("rsqrt", [](Value v) { return rsqrt(abs(v) + 1.0f); }, [](double v) { return 1 / std::sqrt(std::abs(v) + 1); }, 1e-6);
    check("floor", [](Value v) { return floor(v); }, std::floor, 0);
    check("sum", [](Value v) { return splat(sum(constantLike(v, 1.0)), 16) + v; }, [](double v) { return v + 16; }, 1e-6);
  }
}

// Every f16 to f32, and back: exact, subnormal and infinite ones included.
TEST_F(CpuLowering, HalfConversionsAreExactAtEveryLevel) {
  std::vector<uint16_t> halves(65536);
  for (uint32_t i = 0; i < 65536; ++i)
    halves[i] = static_cast<uint16_t>(i);
  for (Level level : runnableLevels()) {
    auto wide = run<uint16_t, float>(level, halves, [](Value v) { return v; }, Element::F16, Element::F32);
    auto back = run<float, uint16_t>(level, wide, [](Value v) { return v; }, Element::F32, Element::F16);
    for (uint32_t i = 0; i < 65536; ++i) {
      _Float16 half;
      std::memcpy(&half, &halves[i], 2);
      if (half != half) {
        ASSERT_NE(wide[i], wide[i]) << i;
        ASSERT_GT(back[i] & 0x7fff, 0x7c00) << i;
        continue;
      }
      ASSERT_EQ(wide[i], static_cast<float>(half)) << i << " at " << facts(level).name;
      ASSERT_EQ(back[i], halves[i]) << i << " at " << facts(level).name;
    }
  }
}

TEST_F(CpuLowering, NarrowingRoundsToEven) {
  std::vector<float> x;
  for (uint32_t i = 0; i < 40000; ++i) { // many exponents, ties among them
    uint32_t bits = i * 107374u + (i % 3) * 0x1000u;
    float value;
    std::memcpy(&value, &bits, 4);
    if (value == value)
      x.push_back(value);
  }
  for (float tie : {65519.0f, 65520.0f, 1.0f + 1.0f / 2048, 1.0f + 3.0f / 2048, 5.9604645e-8f / 2, 8.9406967e-8f})
    x.push_back(tie);
  for (Level level : runnableLevels()) {
    auto halves = run<float, uint16_t>(level, x, [](Value v) { return v; }, Element::F32, Element::F16);
    auto brains = run<float, uint16_t>(level, x, [](Value v) { return v; }, Element::F32, Element::BF16);
    for (size_t i = 0; i < x.size(); ++i) {
      _Float16 half = static_cast<_Float16>(x[i]);
      uint16_t bits;
      std::memcpy(&bits, &half, 2);
      ASSERT_EQ(halves[i], bits) << x[i] << " at " << facts(level).name;
      uint32_t word = floatBits(x[i]);
      ASSERT_EQ(brains[i], static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16)) << x[i];
    }
  }
}

TEST_F(CpuLowering, PartialLoadsAndStoresStopAtTheirLastElement) {
  for (Level level : runnableLevels())
    for (unsigned valid : {0u, 1u, 5u, 8u, 15u, 16u}) {
      KernelBuilder k(context, "part", kBindings, {Element::U32, Element::F32, Element::F32}, level);
      k.tiles([&](Value tile) {
        Value runTime = k.state(state::kCount);
        Value a = k.buffer("x").loadFirst(tile, 16, valid), b = k.buffer("x").loadFirst(tile, 16, runTime);
        k.buffer("out").storeFirst(tile, a + b, valid);
        k.buffer("out").storeFirst(tile + 32, a + b, runTime);
      });
      auto kernel = CpuKernel::compile(k.finish(), "part", level);
      ASSERT_TRUE(bool(kernel)) << textOf(kernel.takeError());
      std::vector<uint32_t> words(state::kWords);
      words[state::kCount] = valid;
      std::vector<float> x(16, 3.0f), out(64, -1.0f);
      kernel->run({words.data(), x.data(), out.data()}, 0, 1);
      for (unsigned i = 0; i < 32; ++i) {
        ASSERT_EQ(out[i], i < valid ? 6.0f : -1.0f) << valid << " " << i;
        ASSERT_EQ(out[32 + i], i < valid ? 6.0f : -1.0f) << valid << " " << i;
      }
    }
}

TEST_F(CpuLowering, DeclaredAccessMustAgree) {
  auto built = [&](bool load, bool store, bool any = true) {
    KernelBuilder k(context, "k", kBindings, {Element::U32, Element::F32, Element::F32}, Level::V3);
    k.tiles([&](Value tile) {
      if (!any)
        return;
      Value v = load ? k.buffer("out")[tile] : k.f32(1);
      if (store)
        k.buffer("out").store(tile, v);
      else
        k.buffer("x").store(tile, v);
    });
    auto module = k.finish();
    return module ? std::string() : textOf(module.takeError());
  };
  EXPECT_EQ(built(true, true), "kernel 'k.v3': binding 'out' is declared write, but the kernel reads it");
  EXPECT_EQ(built(false, false), "kernel 'k.v3': binding 'x' is declared read, but the kernel writes it");
  EXPECT_EQ(built(false, false, false), "kernel 'k.v3': binding 'out' is declared written, but the kernel never writes it");
  EXPECT_EQ(built(false, true), "");
}

TEST_F(CpuLowering, WhatIsNoKernelIsRefused) {
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  context.appendDialectRegistry(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>("func.func @f(%x: memref<?xf32>) { return }", &context);
  ASSERT_TRUE(bool(module));
  EXPECT_EQ(textOf(lowerToLLVM(*module, Level::V3)),
            "kernel to the llvm dialect: expected a kernel: buffers, then the first tile and the end of the tiles as "
            "index, no results");
}

TEST_F(CpuLowering, CallsOutOfTheObjectAreRefused) {
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  context.appendDialectRegistry(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @f.v3(%x: memref<?xf32>, %lo: index, %hi: index) {\n"
      "  %a = memref.load %x[%lo] : memref<?xf32>\n  %b = math.powf %a, %a : f32\n"
      "  memref.store %b, %x[%hi] : memref<?xf32>\n  return\n}",
      &context);
  ASSERT_TRUE(bool(module));
  ASSERT_EQ(textOf(lowerToLLVM(*module, Level::V3)), "");
  auto object = compileObject(*module, Level::V3);
  ASSERT_TRUE(bool(object)) << textOf(object.takeError());
  auto linked = link({*object});
  ASSERT_FALSE(bool(linked));
  EXPECT_NE(textOf(linked.takeError()).find("undefined symbol: powf"), std::string::npos);
  auto garbage = link({"not an object"}); // and an error leaves the linker usable
  ASSERT_FALSE(bool(garbage));
  EXPECT_NE(textOf(garbage.takeError()).find("linking CPU kernels: "), std::string::npos);
  EXPECT_TRUE(bool(CpuKernel::compile(map(Level::V2, [](Value x) { return x; }), "map", Level::V2)));
}

// Objects of one architecture go into one shared object.
constexpr size_t kX86Levels = 5;

TEST_F(CpuLowering, ObjectsOfTwoArchitecturesDoNotLink) {
  std::vector<std::string> objects;
  for (Level level : {Level::V2, Level::Neon}) {
    auto module = map(level, [](Value x) { return exp(x); });
    ASSERT_TRUE(bool(module)) << textOf(module.takeError());
    ASSERT_EQ(textOf(lowerToLLVM(**module, level)), "");
    auto object = compileObject(**module, level);
    ASSERT_TRUE(bool(object)) << textOf(object.takeError());
    objects.push_back(*object);
  }
  EXPECT_EQ(static_cast<uint8_t>(objects[1][18]), 183) << "e_machine is EM_AARCH64";
  EXPECT_TRUE(bool(link({objects[1]})));
  auto both = link(objects);
  ASSERT_FALSE(bool(both));
  EXPECT_NE(textOf(both.takeError()).find("is incompatible with"), std::string::npos);
}

TEST_F(CpuLowering, BytesAreReproducibleAndThreadsDoNotMix) {
  ObjectCache none("");
  auto compileAll = [&] {
    std::vector<std::string> objects(kX86Levels);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < objects.size(); ++i)
      threads.emplace_back([&objects, &none, i] {
        mlir::MLIRContext own(mlir::MLIRContext::Threading::DISABLED);
        Level level = allLevels()[i];
        KernelBuilder k(own, "k", kBindings, {Element::U32, Element::F32, Element::F32}, level);
        k.tiles([&](Value tile) { k.buffer("out").store(tile * 16, exp(k.buffer("x").load(tile * 16, 16))); });
        auto module = k.finish();
        ASSERT_TRUE(bool(module)) << textOf(module.takeError());
        ASSERT_EQ(textOf(lowerToLLVM(**module, level)), "");
        auto object = compileObject(**module, level, none);
        ASSERT_TRUE(bool(object)) << textOf(object.takeError());
        objects[i] = *object;
      });
    for (std::thread &thread : threads)
      thread.join();
    auto linked = link(objects);
    EXPECT_TRUE(bool(linked));
    return linked ? *linked : std::string();
  };
  std::string once = compileAll();
  EXPECT_EQ(once, compileAll());
  xfmr::cpu::Library a, b;
  for (xfmr::cpu::Library *library : {&a, &b})
    ASSERT_TRUE(library->load(reinterpret_cast<const uint8_t *>(once.data()), once.size()).ok());
  for (const char *name : {"k.v2", "k.v3", "k.v4", "k.v4_amx"}) {
    EXPECT_NE(a.symbol(name), nullptr) << name;
    EXPECT_NE(a.symbol(name), b.symbol(name)) << "two objects loaded are two";
  }
}

TEST(CpuLevel, NamesAreParsed) {
  for (Level level : allLevels())
    EXPECT_EQ(parseLevel(facts(level).name), level);
  EXPECT_EQ(parseLevel("v5"), std::nullopt);
}

} // namespace
} // namespace xfmr::codegen::cpu::test
