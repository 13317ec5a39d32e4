// Tensors of a GGUF file and their types: vectors and what choices hang on are F32, matrices are what was asked for or what they are;
// quantised weights keep their codes where the type is theirs.
#pragma once
#include "export/Export.h"
#include "export/TensorFile.h"
#include "runtime/artifact/Gguf.h"

namespace xfmr::exports {

class GgufTensorFile {
public:
  GgufTensorFile(const WeightSources &sources, ElementType type) : evaluator(sources), type(type) {}

  void add(const NamedPiece &tensor);
  /// F32 without a weight behind it.
  void add(const std::string &name, std::vector<float> values);

  /// The number that stands for the type of the file: that of the first matrix of a block, which says more than a table's.
  uint32_t fileType() const;
  /// What is written otherwise than asked for.
  void addNotes(std::vector<std::string> &notes) const;
  Status declare(GgufWriter &writer) const;
  /// Behind the writer's begin().
  Status append(GgufWriter &writer) const;

private:
  struct Tensor {
    std::string name;
    GgufType type;
    std::vector<int64_t> shape;
    Piece piece;
    std::vector<float> values; // where there is no piece
  };
  GgufType wantedType(const Piece &piece) const;
  GgufType matrixType(const Piece &piece) const;
  Status appendCodes(GgufWriter &writer, GgufType type, const Piece &piece) const;

  WeightEvaluator evaluator;
  ElementType type;
  std::vector<Tensor> tensors;
  bool mixed = false;    // rows that the type cannot hold
  bool expanded = false; // forms that no type holds
};

} // namespace xfmr::exports
