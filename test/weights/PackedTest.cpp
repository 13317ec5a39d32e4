// Matrices of quantised checkpoints: codes and scales where GPTQ, AWQ, compressed-tensors, FP8, MXFP4 and NF4 keep them, against
// the witness and, for one number of each, by hand; what cannot be read is refused by name.
#include "TemporaryFolder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "reference/Interpreter.h"
#include "weights/PackedTensors.h"
#include "weights/WeightEvaluator.h"
#include <random>

using namespace mlir;
using namespace xfmr;

namespace {

struct Raw {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

class Packed : public testing::Test {
protected:
  void SetUp() override { context.loadDialect<XfmrDialect>(); }

  int64_t bytesOf(DType dtype, const std::vector<int64_t> &shape) {
    int64_t bits = dtypeBits(dtype);
    for (int64_t extent : shape)
      bits *= extent;
    return bits / 8;
  }
  void addRandom(const std::string &name, DType dtype, std::vector<int64_t> shape) {
    std::vector<uint8_t> bytes(bytesOf(dtype, shape));
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(generator());
    tensors.push_back({name, dtype, std::move(shape), bytes});
  }
  void addBytes(const std::string &name, DType dtype, std::vector<int64_t> shape, std::vector<uint8_t> bytes) {
    bytes.resize(bytesOf(dtype, shape));
    tensors.push_back({name, dtype, std::move(shape), std::move(bytes)});
  }
  void addWords(const std::string &name, std::vector<int64_t> shape, uint32_t every) {
    std::vector<uint8_t> bytes(bytesOf(DType::i32, shape));
    for (size_t i = 0; i < bytes.size(); i += 4)
      std::memcpy(bytes.data() + i, &every, 4);
    tensors.push_back({name, DType::i32, std::move(shape), bytes});
  }
  // Numbers between 0.5 and 1.5.
  void addScales(const std::string &name, DType dtype, std::vector<int64_t> shape) {
    std::vector<uint8_t> bytes(bytesOf(dtype, shape));
    const size_t each = dtypeBits(dtype) / 8;
    for (size_t i = 0; i < bytes.size(); i += each) {
      const float value = 0.5f + static_cast<float>(generator() % 1000) / 1000;
      const uint16_t half = dtype == DType::f16 ? f16FromF32(value) : bf16FromF32(value);
      std::memcpy(bytes.data() + i, each == 4 ? static_cast<const void *>(&value) : &half, each);
    }
    tensors.push_back({name, dtype, std::move(shape), bytes});
  }

  Status open(const std::string &quantization) {
    folder.write("config.json", "{\"quantization_config\":" + quantization + "}");
    SafetensorsWriter writer;
    for (const Raw &tensor : tensors)
      EXPECT_TRUE(writer.declare(tensor.name, tensor.dtype, tensor.shape).ok());
    EXPECT_TRUE(writer.begin(folder.file("model.safetensors")).ok());
    for (const Raw &tensor : tensors)
      EXPECT_TRUE(writer.append(tensor.bytes.data(), tensor.bytes.size()).ok());
    EXPECT_TRUE(writer.finish().ok());
    sources = WeightSources();
    WeightSource source;
    Status status = WeightSource::open(folder.path, source);
    return status.ok() ? sources.add("base", folder.path) : status;
  }

  // The values of matrix `name` of the type by the evaluator; the witness has the same.
  std::vector<float> values(const std::string &name, const std::string &shape, const std::string &element) {
    module = parseSourceString<ModuleOp>("%w = xfmr.weight \"" + name + "\" : tensor<" + shape + "x" + element + ">",
                                         &context);
    EXPECT_TRUE(module);
    Value value = module->getBody()->back().getResult(0);
    const int64_t rows = weightRows(value.getType()), columns = weightColumns(value.getType());
    std::vector<float> found(rows * columns);
    EXPECT_TRUE(succeeded(WeightEvaluator(sources).evaluate(value, {{0, rows, 0, columns}, found.data(), columns})));
    reference::Interpreter interpreter(ModelOp(), [&](StringRef source, StringRef tensor, const TensorView *&out) {
      return sources.find(source.str(), tensor.str(), out);
    });
    reference::TensorRef exact;
    Status status = interpreter.weight(value, exact);
    EXPECT_TRUE(status.ok()) << status.message();
    if (status.ok())
      EXPECT_EQ(std::vector<float>(exact->values.begin(), exact->values.end()), found);
    // Planes say the same.
    if (std::optional<QuantScheme> scheme = quantSchemeOf(value.getType())) {
      std::vector<float> codes(rows * columns);
      EXPECT_TRUE(succeeded(WeightEvaluator(sources).evaluate(
          value, {{0, rows, 0, columns}, codes.data(), columns, WeightPlane::codes})));
      for (float code : codes)
        EXPECT_TRUE(code >= 0 && code < 1 << scheme->bits());
    }
    return found;
  }

  std::string ofCheckpoint() const { return "checkpoint of \"" + folder.file("config.json") + "\": "; }

  TemporaryFolder folder;
  MLIRContext context;
  WeightSources sources;
  OwningOpRef<ModuleOp> module;
  std::vector<Raw> tensors;
  std::mt19937 generator{11};
};

TEST_F(Packed, Gptq) {
  addRandom("m.qweight", DType::i32, {8, 16}); // in 64, out 16
  addRandom("m.qzeros", DType::i32, {2, 2});
  addScales("m.scales", DType::f16, {2, 16});
  ASSERT_EQ(open(R"({"quant_method":"gptq","bits":4,"group_size":32})").message(), "");
  std::vector<float> w = values("m.weight", "16x64", "!xfmr.q<int4, group = 32, scale = f32, min>");
  // Row 3, column 41: word 5 * 16 + 3, nibble 1; zero of group 1: word 2, nibble 3, plus one.
  uint32_t code, zero;
  std::memcpy(&code, tensors[0].bytes.data() + 4 * (5 * 16 + 3), 4);
  std::memcpy(&zero, tensors[1].bytes.data() + 4 * 2, 4);
  uint16_t scale;
  std::memcpy(&scale, tensors[2].bytes.data() + 2 * (16 + 3), 2);
  EXPECT_EQ(w[3 * 64 + 41], f32FromF16(scale) * (float(code >> 4 & 15) - float((zero >> 12 & 15) + 1)));
  EXPECT_EQ(sources.source("base")->find("m.qweight"), nullptr) << "only the matrix is there";

  ASSERT_EQ(open(R"({"quant_method":"gptq","bits":4,"group_size":32,"checkpoint_format":"gptq_v2"})").message(), "");
  w = values("m.weight", "16x64", "!xfmr.q<int4, group = 32, scale = f32, min>");
  EXPECT_EQ(w[3 * 64 + 41], f32FromF16(scale) * (float(code >> 4 & 15) - float(zero >> 12 & 15)));
}

TEST_F(Packed, SymmetricGptqHasNoMinimum) {
  addRandom("m.qweight", DType::i32, {8, 16});
  addWords("m.qzeros", {2, 2}, 0x77777777);
  addScales("m.scales", DType::f16, {2, 16});
  std::vector<uint8_t> order(64 * 4, 0);
  for (int i = 0; i < 64; ++i)
    order[4 * i] = i / 32;
  addBytes("m.g_idx", DType::i32, {64}, order);
  ASSERT_EQ(open(R"({"quant_method":"gptq","bits":4,"group_size":32,"desc_act":true})").message(), "");
  values("m.weight", "16x64", "!xfmr.q<int4, group = 32>");
  tensors.back().bytes[0] = 1;
  EXPECT_EQ(open(R"({"quant_method":"gptq","bits":4,"group_size":32,"desc_act":true})").message(),
            "config \"" + folder.file("config.json") +
                "\": quantization_config orders columns by activation (desc_act: "
                "\"m.g_idx\" is not i / group), which cannot be read");
}

TEST_F(Packed, EightBitsAndWholeRows) {
  addRandom("m.qweight", DType::i32, {16, 8});
  addWords("m.qzeros", {1, 2}, 0x7f7f7f7f);
  addScales("m.scales", DType::f16, {1, 8});
  ASSERT_EQ(open(R"({"quant_method":"gptq","bits":8,"group_size":-1})").message(), "");
  values("m.weight", "8x64", "!xfmr.q<int8, group = row>");
}

TEST_F(Packed, Awq) {
  addRandom("m.qweight", DType::i32, {64, 2}); // in 64, out 16
  addRandom("m.qzeros", DType::i32, {2, 2});
  addScales("m.scales", DType::f16, {2, 16});
  ASSERT_EQ(open(R"({"quant_method":"awq","bits":4,"group_size":32,"version":"gemm","zero_point":true})").message(),
            "");
  std::vector<float> w = values("m.weight", "16x64", "!xfmr.q<int4, group = 32, scale = f32, min>");
  // Output 9 is column 1 of word 1: nibble 4.
  uint32_t code, zero;
  std::memcpy(&code, tensors[0].bytes.data() + 4 * (40 * 2 + 1), 4);
  std::memcpy(&zero, tensors[1].bytes.data() + 4 * (2 + 1), 4);
  uint16_t scale;
  std::memcpy(&scale, tensors[2].bytes.data() + 2 * (16 + 9), 2);
  EXPECT_EQ(w[9 * 64 + 40], f32FromF16(scale) * (float(code >> 16 & 15) - float(zero >> 16 & 15)));
}

TEST_F(Packed, CompressedTensors) {
  addRandom("m.weight_packed", DType::i32, {16, 8});
  addScales("m.weight_scale", DType::bf16, {16, 2});
  std::vector<uint8_t> shape(16, 0);
  shape[0] = 16, shape[8] = 64;
  addBytes("m.weight_shape", DType::i64, {2}, shape);
  const std::string groups =
      R"("config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":4,"type":"int","strategy":"group","group_size":32}}})";
  ASSERT_EQ(open(R"({"quant_method":"compressed-tensors","format":"pack-quantized",)" + groups + "}").message(), "");
  std::vector<float> w = values("m.weight", "16x64", "!xfmr.q<int4, group = 32, scale = bf16>");
  uint16_t scale;
  std::memcpy(&scale, tensors[1].bytes.data() + 2 * (5 * 2 + 1), 2);
  EXPECT_EQ(w[5 * 64 + 35], f32FromBF16(scale) * float((tensors[0].bytes[5 * 32 + 17] >> 4) - 8));
  addRandom("m.weight_zero_point", DType::i32, {2, 2});
  ASSERT_EQ(open(R"({"quant_method":"compressed-tensors","format":"pack-quantized",)" + groups + "}").message(), "");
  values("m.weight", "16x64", "!xfmr.q<int4, group = 32, scale = f32, min>");
}

TEST_F(Packed, BytesAndFloats) {
  addRandom("m.weight", DType::i8, {8, 64});
  addScales("m.weight_scale", DType::bf16, {8, 1});
  ASSERT_EQ(
      open(
          R"({"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"weights":{"num_bits":8,"strategy":"channel"}}}})")
          .message(),
      "");
  values("m.weight", "8x64", "!xfmr.q<int8, group = row, scale = bf16>");

  tensors.clear();
  std::vector<uint8_t> numbers(256 * 64);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<uint8_t>(i % 127 + (i / 127 % 2) * 128); // every number but NaN
  addBytes("m.weight", DType::f8_e4m3, {256, 64}, numbers);
  addScales("m.weight_scale_inv", DType::f32, {2, 2});
  ASSERT_EQ(open(R"({"quant_method":"fp8","weight_block_size":[128,32]})").message(), "");
  std::vector<float> w = values("m.weight", "256x64", "f32");
  float scale;
  std::memcpy(&scale, tensors[1].bytes.data() + 4 * 3, 4);
  const int byte = numbers[130 * 64 + 33], exponent = byte >> 3 & 15, fraction = byte & 7;
  const float magnitude = exponent ? std::ldexp(8.0f + fraction, exponent - 10) : std::ldexp(float(fraction), -9);
  EXPECT_EQ(w[130 * 64 + 33], scale * (byte & 128 ? -magnitude : magnitude));
  tensors[0].bytes[5] = 127;
  ASSERT_EQ(open(R"({"quant_method":"fp8","weight_block_size":[128,32]})").message(), "");
  std::string message;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  Value value = module->getBody()->back().getResult(0);
  std::vector<float> out(256 * 64);
  EXPECT_TRUE(failed(WeightEvaluator(sources).evaluateRows(value, 0, 256, out.data())));
  EXPECT_EQ(message, "tensor \"m.weight\" holds NaN at element 5");
}

TEST_F(Packed, Mxfp4) {
  addRandom("m.gate_up_proj_blocks", DType::u8, {3, 4, 2, 16});
  std::vector<uint8_t> scales(3 * 4 * 2);
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] = static_cast<uint8_t>(120 + i % 9);
  addBytes("m.gate_up_proj_scales", DType::u8, {3, 4, 2}, scales);
  ASSERT_EQ(open(R"({"quant_method":"mxfp4","modules_to_not_convert":[]})").message(), "");
  std::vector<float> w = values("m.gate_up_proj", "3x4x64", "!xfmr.q<e2m1, group = 32, scale = e8m0>");
  constexpr float kBook[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  // Matrix 1, row 2, column 37: byte 18 of row 6, high nibble; scale 13.
  EXPECT_EQ(w[(4 + 2) * 64 + 37], std::ldexp(kBook[tensors[0].bytes[6 * 32 + 18] >> 4], scales[13] - 127));
}

TEST_F(Packed, Nf4) {
  const std::string state =
      R"({"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[8,128],"nested_blocksize":256,"nested_offset":0.25})";
  addRandom("m.weight", DType::u8, {512, 1});
  addRandom("m.weight.absmax", DType::u8, {16});
  addScales("m.weight.nested_absmax", DType::f32, {1});
  addScales("m.weight.nested_quant_map", DType::f32, {256});
  addScales("m.weight.quant_map", DType::f32, {16});
  addBytes("m.weight.quant_state.bitsandbytes__nf4", DType::u8, {int64_t(state.size())},
           std::vector<uint8_t>(state.begin(), state.end()));
  ASSERT_EQ(open(R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})").message(), "");
  std::vector<float> w = values("m.weight", "8x128", "!xfmr.q<nf4, group = 64, scale = f32>");
  float map, outer;
  std::memcpy(&map, tensors[3].bytes.data() + 4 * tensors[1].bytes[3], 4);
  std::memcpy(&outer, tensors[2].bytes.data(), 4);
  const float scale = map * outer + 0.25f; // row 1, second half
  EXPECT_EQ(w[128 + 65], static_cast<float>(double(scale) * codeBook(QuantCode::nf4)[tensors[0].bytes[96] & 15]));
}

TEST_F(Packed, WhatCannotBeReadIsNamed) {
  addRandom("m.weight", DType::u8, {16});
  const std::string where = "config \"" + folder.file("config.json") + "\": quantization_config ";
  auto message = [&](const std::string &config) {
    const std::string text = open(config).message();
    for (const std::string &place : {where, ofCheckpoint()})
      if (text.substr(0, place.size()) == place)
        return text.substr(place.size());
    return text;
  };
  EXPECT_EQ(message(R"({"quant_method":"quip"})"),
            "says \"quip\", supported: gptq, awq, compressed-tensors, fp8, mxfp4, bitsandbytes (nf4)");
  EXPECT_EQ(message(R"({"quant_method":"gptq","bits":3})"), "says 3 bits, supported with gptq: 2, 4, 8");
  EXPECT_EQ(message(R"({"quant_method":"gptq","group_size":0})"), "says group_size 0, expected -1 or more than 0");
  EXPECT_EQ(message(R"({"quant_method":"gptq","bits":"four"})"), "has a \"bits\" of the wrong kind");
  EXPECT_EQ(message(R"({"quant_method":"awq","bits":4,"version":"gemv"})"),
            "says version \"gemv\", supported with awq: gemm");
  EXPECT_EQ(message(R"({"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized"})"),
            "says format \"nvfp4-pack-quantized\", supported: pack-quantized, int-quantized, naive-quantized, "
            "float-quantized");
  EXPECT_EQ(message(R"({"quant_method":"compressed-tensors","format":"pack-quantized"})"), "has no config_groups");
  EXPECT_EQ(
      message(
          R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"a":{"weights":{"num_bits":4,"strategy":"group","actorder":"group"}}}})"),
      "orders columns by activation (actorder), which cannot be read");
  EXPECT_EQ(message(R"({"quant_method":"bitsandbytes","load_in_8bit":true})"),
            "says bitsandbytes without nf4, supported: load_in_4bit with bnb_4bit_quant_type \"nf4\"");
  tensors[0].name = "m.qweight";
  EXPECT_EQ(message(R"({"quant_method":"gptq"})"), "tensor \"m.scales\" is missing beside \"m.qweight\"");
  addRandom("m.scales", DType::f16, {2, 16});
  addRandom("m.qzeros", DType::i32, {3, 2});
  tensors[0] = {"m.qweight", DType::i32, {8, 16}, std::vector<uint8_t>(512)};
  EXPECT_EQ(message(R"({"quant_method":"gptq","bits":4,"group_size":32})"),
            "tensor \"m.qzeros\": found I32 [3, 2], expected I32 [2, 2]");
}

TEST_F(Packed, SettingsThatCannotBeReadAreNamed) {
  addRandom("m.weight", DType::u8, {16});
  const std::string where = "config \"" + folder.file("config.json") + "\": quantization_config ";
  auto message = [&](const std::string &config) { return open("{" + config + "}").message(); };
  EXPECT_EQ(message(R"("quant_method":"awq","bits":8)"), where + "says 8 bits, supported with awq: 4");
  EXPECT_EQ(message(R"("quant_method":"fp8","weight_block_size":[128])"),
            where + "has a weight_block_size that is not two numbers");
  EXPECT_EQ(message(R"("quant_method":"fp8","weight_block_size":[128,0])"),
            where + "has a weight_block_size that is not two numbers");

  auto groups = [&](const std::string &format, const std::string &list) {
    return message(R"("quant_method":"compressed-tensors","format":")" + format + R"(","config_groups":{)" + list +
                   "}");
  };
  EXPECT_EQ(groups("pack-quantized", R"("a":{"targets":["Linear"]})"), where + "has a group \"a\" without weights");
  EXPECT_EQ(groups("pack-quantized", R"("a":{"weights":{"num_bits":4}},"b":{"weights":{"num_bits":8}})"),
            where + "has groups of different weights, which cannot be read");
  EXPECT_EQ(groups("pack-quantized", R"("a":{"weights":{"num_bits":3}})"),
            where + "says 3 bits, supported with pack-quantized: 4, 8");
  EXPECT_EQ(groups("int-quantized", R"("a":{"weights":{"num_bits":4}})"),
            where + "says 4 bits, supported with int-quantized: 8");
  for (const char *block : {"", R"(,"block_structure":[128])", R"(,"block_structure":[128,0])"})
    EXPECT_EQ(groups("float-quantized", R"("a":{"weights":{"strategy":"block")" + std::string(block) + "}}"),
              where + "says strategy block, supported with float-quantized and a block_structure");
  EXPECT_EQ(groups("int-quantized", R"("a":{"weights":{"strategy":"block","block_structure":[128,128]}})"),
            where + "says strategy block, supported with float-quantized and a block_structure");
  EXPECT_EQ(groups("int-quantized", R"("a":{"weights":{"strategy":"token"}})"),
            where + "says strategy \"token\", supported: tensor, channel, group, block");
}

TEST_F(Packed, TensorsThatCannotBeReadAreNamed) {
  const std::string where = "config \"" + folder.file("config.json") + "\": quantization_config ";
  auto compressed = [&](const std::string &format, const std::string &weights) {
    return open(R"({"quant_method":"compressed-tensors","format":")" + format +
                R"(","config_groups":{"a":{"weights":{)" + weights + "}}}}")
        .message();
  };
  addRandom("m.weight_packed", DType::i32, {16, 8});
  addScales("m.weight_scale", DType::bf16, {16, 1});
  addBytes("m.weight_shape", DType::i64, {2}, {16}); // 16, 0
  EXPECT_EQ(compressed("pack-quantized", R"("num_bits":4,"strategy":"channel")"),
            ofCheckpoint() + "tensor \"m.weight_shape\": found I64 [2], expected two extents of a matrix");
  tensors.back().bytes[8] = 64;
  addWords("m.weight_g_idx", {64}, 0);
  EXPECT_EQ(compressed("pack-quantized", R"("num_bits":4,"strategy":"channel")"),
            where + "orders columns by activation (\"m.weight_g_idx\"), which cannot be read");

  tensors.clear();
  addRandom("m.weight", DType::i8, {8, 64});
  addScales("m.weight_scale", DType::bf16, {8, 1});
  addRandom("m.weight_zero_point", DType::i8, {8, 1});
  EXPECT_EQ(compressed("int-quantized", R"("strategy":"channel")"),
            where + "has zero points of bytes (\"m.weight_zero_point\"), which cannot be read");

  tensors.clear();
  addRandom("m.down_proj_blocks", DType::u8, {3, 4, 2, 8});
  addRandom("m.down_proj_scales", DType::u8, {3, 4, 2});
  EXPECT_EQ(open(R"({"quant_method":"mxfp4"})").message(),
            ofCheckpoint() +
                "tensor \"m.down_proj_blocks\": found U8 [3, 4, 2, 8], expected U8 [.., rows, groups, 16]");
}

TEST_F(Packed, StatesOfNf4ThatCannotBeReadAreNamed) {
  auto message = [&](const std::string &state) {
    tensors.clear();
    addRandom("m.weight", DType::u8, {512, 1});
    addRandom("m.weight.absmax", DType::u8, {16});
    addScales("m.weight.nested_absmax", DType::f32, {1});
    addScales("m.weight.nested_quant_map", DType::f32, {256});
    addBytes("m.weight.quant_state.bitsandbytes__nf4", DType::u8, {int64_t(state.size())},
             std::vector<uint8_t>(state.begin(), state.end()));
    return open(R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})").message();
  };
  const std::string where = "config \"" + folder.file("config.json") + "\": quantization_config ";
  for (const char *state :
       {R"({"shape":[8,64]})", R"({"shape":[1024]})", R"({"shape":[8,128],"blocksize":0})", "no JSON"})
    EXPECT_EQ(message(state), ofCheckpoint() +
                                  "tensor \"m.weight\": found U8 [512, 1], expected half as many bytes as the shape of "
                                  "\"m.weight.quant_state.bitsandbytes__nf4\" has numbers");
  EXPECT_EQ(message(R"({"shape":[8,128],"blocksize":96})"),
            where + "has blocks of 96 numbers that run over the rows of \"m.weight\", 128 wide, which cannot be read");
  EXPECT_EQ(message(R"({"shape":[8,128],"blocksize":64,"nested_blocksize":0})"),
            where + "has a nested_blocksize below 1");
}

// Each of these had bytes read from behind its tensors, or numbers that overflowed.
TEST_F(Packed, ShapesThatReachPastTheirTensorsAreRefused) {
  addRandom("m.qweight", DType::i32, {16, 1}); // of 8 outputs, where the scales are of 9
  addScales("m.scales", DType::f16, {1, 9});
  addRandom("m.qzeros", DType::i32, {1, 1});
  EXPECT_EQ(open(R"({"quant_method":"awq","bits":4,"group_size":32})").message(),
            ofCheckpoint() + "tensor \"m.scales\": found F16 [1, 9], expected a multiple of 8 outputs");
  tensors.clear();
  addRandom("m.weight", DType::i8, {3, 5});
  addRandom("m.weight_scale", DType::i8, {1});
  EXPECT_EQ(
      open(R"({"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"weights":{}}}})")
          .message(),
      ofCheckpoint() + "tensor \"m.weight_scale\": found I8 [1], expected F16 or BF16 or F32 [1]");
  const auto nf4 = [&](const std::string &state, DType type, std::vector<int64_t> codes) {
    tensors.clear();
    addRandom("m.weight", type, codes);
    addScales("m.weight.absmax", DType::f32, {1});
    addBytes("m.weight.quant_state.bitsandbytes__nf4", DType::u8, {int64_t(state.size())},
             std::vector<uint8_t>(state.begin(), state.end()));
    return open(R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})").message();
  };
  const std::string half =
      "expected half as many bytes as the shape of \"m.weight.quant_state.bitsandbytes__nf4\" has numbers";
  EXPECT_EQ(nf4(R"({"shape":[1,3],"blocksize":3})", DType::u8, {1}),
            ofCheckpoint() + "tensor \"m.weight\": found U8 [1], " + half);
  EXPECT_EQ(nf4(R"({"shape":[4294967296,4294967296],"blocksize":1})", DType::u8, {0}),
            ofCheckpoint() + "tensor \"m.weight\": found U8 [0], " + half);
  EXPECT_EQ(nf4(R"({"shape":[1,8],"blocksize":8})", DType::f4, {4}),
            ofCheckpoint() + "tensor \"m.weight\": found F4 [4], " + half);
}

TEST_F(Packed, NumbersOfSettingsAreReadWhole) {
  addRandom("m.qweight", DType::i32, {8, 16});
  const std::string where = "config \"" + folder.file("config.json") + "\": quantization_config ";
  EXPECT_EQ(open(R"({"quant_method":"gptq","bits":4294967300})").message(),
            where + "says 4294967300 bits, supported with gptq: 2, 4, 8");
  EXPECT_EQ(open(R"({"quant_method":"gptq","bits":4.5})").message(), where + "has a \"bits\" of the wrong kind");
  EXPECT_EQ(open(R"({"quant_method":"gptq","group_size":1e300})").message(),
            where + "has a \"group_size\" of the wrong kind");
  EXPECT_EQ(open(R"({"quant_method":"fp8","weight_block_size":[9223372036854775807,4]})").message(),
            where + "has a weight_block_size that is not two numbers");
}

TEST_F(Packed, OtherTypesThanTheCheckpointsAreNamed) {
  addRandom("m.qweight", DType::i32, {8, 16});
  addRandom("m.qzeros", DType::i32, {2, 2});
  addScales("m.scales", DType::f16, {2, 16});
  ASSERT_EQ(open(R"({"quant_method":"gptq","bits":4,"group_size":32})").message(), "");
  std::string message;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  std::vector<float> out(16 * 64);
  for (const std::string type : {"16x64xf32", "16x64x!xfmr.q<int4, group = 64, scale = f32, min>",
                                 "64x16x!xfmr.q<int4, group = 32, scale = f32, min>"}) {
    module = parseSourceString<ModuleOp>("%w = xfmr.weight \"m.weight\" : tensor<" + type + ">", &context);
    ASSERT_TRUE(module) << message;
    Value value = module->getBody()->back().getResult(0);
    EXPECT_TRUE(failed(WeightEvaluator(sources).evaluateRows(value, 0, weightRows(value.getType()), out.data())));
    EXPECT_EQ(message,
              "tensor \"m.weight\" of source \"base\": a matrix of a quantised checkpoint [16, 64] is not 'tensor<" +
                  type + ">'");
  }
}

} // namespace
