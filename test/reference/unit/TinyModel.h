// A model for tests: IR as text, weights as numbers in memory.
#pragma once
#include "reference/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>
#include <map>

namespace xfmr::reference {

class TinyModel {
public:
  /// `body` stands inside a model over %tokens with hidden size 4 and a vocabulary of 8 that yields
  /// tensor<?x`width`xf32>, 4 or 8.
  explicit TinyModel(const std::string &body, int width = 8) {
    context_.loadDialect<XfmrDialect>();
    const std::string output = "tensor<?x" + std::to_string(width) + "xf32>";
    module_ = mlir::parseSourceString<mlir::ModuleOp>(
        "xfmr.model @tiny (%tokens: tensor<?xi32>) -> " + output +
            " config <architecture = \"llama\", hidden_size = 4, vocab_size = 8, max_position = 16>"
            " sources {base = \"tiny\"} {\n" +
            body + "\n}",
        &context_);
    if (module_)
      model_ = *module_->getOps<ModelOp>().begin();
  }

  ModelOp model() { return model_; }

  /// Stores a tensor in f32.
  void store(const std::string &name, std::vector<int64_t> shape, std::vector<float> values) {
    Stored &stored = stored_[name];
    stored.values = std::move(values);
    stored.view.name = name;
    stored.view.shape = std::move(shape);
    stored.view.data = reinterpret_cast<const uint8_t *>(stored.values.data());
    stored.view.byteSize = stored.values.size() * sizeof(float);
  }

  /// Stores numbers that look random, between -1 and 1, the same on every machine.
  void storeNoise(const std::string &name, std::vector<int64_t> shape) {
    std::vector<float> values(Tensor::count(shape));
    for (float &value : values) {
      seed_ = seed_ * 1664525u + 1013904223u;
      value = static_cast<float>(seed_ >> 8) / (1 << 23) - 1;
    }
    store(name, std::move(shape), std::move(values));
  }

  FindTensor find() {
    return [this](llvm::StringRef, llvm::StringRef name, const TensorView *&out) {
      auto found = stored_.find(name.str());
      if (found == stored_.end())
        return Status::error("no tensor \"" + name.str() + "\"");
      out = &found->second.view;
      return Status::success();
    };
  }

private:
  struct Stored {
    std::vector<float> values;
    TensorView view;
  };
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  ModelOp model_;
  std::map<std::string, Stored> stored_;
  uint32_t seed_ = 1;
};

/// A tensor of numbers that look random, between -1 and 1.
inline Tensor noise(std::vector<int64_t> shape, uint32_t seed) {
  Tensor tensor(std::move(shape));
  for (double &value : tensor.values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<double>(seed >> 8) / (1 << 23) - 1;
  }
  return tensor;
}

inline double largestDifference(const Tensor &a, const Tensor &b) {
  EXPECT_EQ(a.shape, b.shape);
  double largest = 0;
  for (size_t i = 0; i < a.values.size() && i < b.values.size(); ++i)
    largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

} // namespace xfmr::reference
