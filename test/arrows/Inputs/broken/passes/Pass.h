#include "dialect/Op.h"
#include "mlir/IR/Value.h"
