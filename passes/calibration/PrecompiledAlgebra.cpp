// Here for the header's sake: CMake precompiles a header for a target that has a file.
#include "passes/calibration/PrecompiledAlgebra.h"
