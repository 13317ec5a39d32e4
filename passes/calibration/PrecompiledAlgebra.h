// The same with Eigen, for calibration and what is built on it: parsing Eigen takes longer than all else in most of these files.
#pragma once
#include "dialect/PrecompiledOps.h"
#include <Eigen/Dense>
