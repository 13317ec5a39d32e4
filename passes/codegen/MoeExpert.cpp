// The name of what happens between the matrices of an expert.
#include "passes/codegen/MoeExpert.h"

namespace xfmr::codegen {

std::string MoeEpilogue::suffix() const {
  std::string result = bias ? "_bias" : "";
  if (glu)
    result += clamped ? "_glu_clamped" : "_glu";
  if (activation != Activation::None)
    result += std::string("_") + toString(activation);
  return result;
}

std::string MoeEpilogue::fault() const {
  return clamped && !glu ? "clamped needs glu" : "";
}

} // namespace xfmr::codegen
