// Named pieces as one safetensors file.
#pragma once
#include "export/Export.h"
#include "export/Piece.h"
#include "runtime/artifact/DType.h"

namespace xfmr::exports {

struct NamedPiece {
  std::string name;
  Piece piece;
};

/// Evaluates the pieces in order and writes them with the type that `type` asks for. The file appears whole or not at
/// all.
Status writeTensorFile(const std::vector<NamedPiece> &tensors, ElementType type, const WeightSources &sources,
                       const std::string &path);

} // namespace xfmr::exports
