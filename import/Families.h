// The importers, one a `model_type`. Each reads its configuration, returns early if that failed, and
// builds the model between beginModel() and the value it returns (the logits).
#pragma once
#include "import/Decoder.h"

namespace xfmr {

mlir::Value importArcee(ImportContext &context);
mlir::Value importBert(ImportContext &context);
mlir::Value importBloom(ImportContext &context);
mlir::Value importCohere(ImportContext &context);
mlir::Value importCohere2(ImportContext &context);
mlir::Value importDeepseek(ImportContext &context);
mlir::Value importDistilBert(ImportContext &context);
mlir::Value importDots1(ImportContext &context);
mlir::Value importElectra(ImportContext &context);
mlir::Value importErnie(ImportContext &context);
mlir::Value importErnieMoe(ImportContext &context);
mlir::Value importExaone4(ImportContext &context);
mlir::Value importFalcon(ImportContext &context);
mlir::Value importGemma(ImportContext &context);
mlir::Value importGemma2(ImportContext &context);
mlir::Value importGemma3(ImportContext &context);
mlir::Value importGlm(ImportContext &context);
mlir::Value importGlm4(ImportContext &context);
mlir::Value importGlm4Moe(ImportContext &context);
mlir::Value importGpt2(ImportContext &context);
mlir::Value importGptBigcode(ImportContext &context);
mlir::Value importGptNeo(ImportContext &context);
mlir::Value importGptNeox(ImportContext &context);
mlir::Value importGptOss(ImportContext &context);
mlir::Value importGptj(ImportContext &context);
mlir::Value importGranite(ImportContext &context);
mlir::Value importGraniteMoe(ImportContext &context);
mlir::Value importHelium(ImportContext &context);
mlir::Value importLlama(ImportContext &context);
mlir::Value importLlama4(ImportContext &context);
mlir::Value importMiniMaxM2(ImportContext &context);
mlir::Value importMinistral3(ImportContext &context);
mlir::Value importMistral(ImportContext &context);
mlir::Value importMixtral(ImportContext &context);
mlir::Value importModernBert(ImportContext &context);
mlir::Value importMpnet(ImportContext &context);
mlir::Value importMpt(ImportContext &context);
mlir::Value importOlmo2(ImportContext &context);
mlir::Value importOlmo3(ImportContext &context);
mlir::Value importOlmoe(ImportContext &context);
mlir::Value importOpt(ImportContext &context);
mlir::Value importPhi(ImportContext &context);
mlir::Value importPhi3(ImportContext &context);
mlir::Value importPhiMoe(ImportContext &context);
mlir::Value importQwen2(ImportContext &context);
mlir::Value importQwen2Moe(ImportContext &context);
mlir::Value importQwen3(ImportContext &context);
mlir::Value importQwen3Moe(ImportContext &context);
mlir::Value importRoberta(ImportContext &context);
mlir::Value importSeedOss(ImportContext &context);
mlir::Value importSmolLm3(ImportContext &context);
mlir::Value importStableLm(ImportContext &context);
mlir::Value importStarcoder2(ImportContext &context);
mlir::Value importSwitch(ImportContext &context);
mlir::Value importT5(ImportContext &context);

/// The importer of a `model_type`, or null.
using FamilyImporter = mlir::Value (*)(ImportContext &);
FamilyImporter importerOf(const std::string &modelType);

/// Windows of the Qwen families: on only with `use_sliding_window`, from layer `max_window_layers`.
Windows readQwenWindows(Config &config, int64_t numLayers);

} // namespace xfmr
