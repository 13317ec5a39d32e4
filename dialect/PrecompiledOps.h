// What nearly every file above the dialect includes: MLIR's headers and our ops; precompiled once.
#pragma once
#include "dialect/Precompiled.h"
#include "dialect/Xfmr.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <unordered_set>
