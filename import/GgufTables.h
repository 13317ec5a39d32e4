// The tables of names of GgufTables.cpp.
#pragma once
#include "import/GgufFamilies.h"

namespace xfmr::gguf {

extern const llvm::ArrayRef<GgufName> kCommonNames, kMixtralNames, kQwenMoeNames, kGraniteMoeNames, kSandwichNames,
    kPhiNames, kPhi3Names, kStarcoder2Names, kGptNeoxNames, kGpt2Names, kBigcodeNames, kSeedOssNames, kFalconBloomNames,
    kMptNames, kGptOssNames, kDeepseekNames, kGlm4MoeNames, kErnieMoeNames, kDots1Names, kGlm4Names, kMiniMaxM2Names,
    kLlama4Names, kBertNames, kModernBertNames, kT5Names;

} // namespace xfmr::gguf
