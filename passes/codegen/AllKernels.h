// Every contract, and the one list of kernels: XFMR_KERNELS(X) is X(Gemv) and so on for all that have a NAMESpec and
// NAMEParams. A new kernel adds its name here and its attributes in dialect/kernels/Kernels.td.
#pragma once
#include "passes/codegen/Attention.h"
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/Embedding.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/Gemv.h"
#include "passes/codegen/HeadProduct.h"
#include "passes/codegen/LatentExpand.h"
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/MoeGemm.h"
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/MoePlan.h"
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/Norm.h"
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/RowPairs.h"
#include "passes/codegen/Sample.h"
#include "passes/codegen/TopK.h"

#define XFMR_KERNELS(X)                                                                            \
  X(AttentionCombine) X(AttentionDecode) X(AttentionPrefill)                                       \
  X(Elementwise) X(Embedding) X(Gemm) X(Gemv) X(HeadProduct)                                       \
  X(LatentExpand) X(MoeCombine) X(MoeGemm) X(MoeGemv) X(MoePlan) X(MoeRouter)                      \
  X(Norm) X(RopeCache) X(RowCodes) X(RowPairs) X(Sample) X(TopK)
