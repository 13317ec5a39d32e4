#include <vector>
#include "mlir/IR/Value.h"
