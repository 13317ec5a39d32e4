// A model of the dialect written in formats that other tools load: a Hugging Face folder or a GGUF file. Weight
// expressions are evaluated as they are written, a few megabytes at a time; what is written appears
// whole or not at all.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"
#include "weights/WeightSources.h"

namespace xfmr::exports {

enum class ElementType { keep, f32, f16, bf16, q8_0, q4_0, q4_k, q6_k };
/// A type of quantised blocks, which only GGUF holds.
inline bool isQuantised(ElementType type) {
  return type >= ElementType::q8_0;
}

struct ExportOptions {
  std::string output;
  ElementType type = ElementType::keep;
  /// Folder of the base checkpoint: config.json and tokenizer files come from there.
  std::string baseFolder;
};

/// Folder with config.json (that of the base with the new shapes), model.safetensors under the family's names,
/// and the base's tokenizer and generation files. `output` may not exist yet, or be an empty folder. With
/// `keep` every tensor has the type of its expression. The model is made uniform (Uniform.h), then written as the importer of its
/// family reads it.
Status exportHuggingFace(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                         std::vector<std::string> &notes);

/// GGUF version 3. Vectors and routers are F32, matrices of `type`. Families: import/GgufFamilies.h.
Status exportGguf(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                  std::vector<std::string> &notes);

} // namespace xfmr::exports
