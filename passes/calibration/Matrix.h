// The two matrix types of calibration: activations and weights in f32, row-major; sums and solves in f64.
#pragma once

#include <Eigen/Dense>

namespace xfmr {

using MatrixF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixD = Eigen::MatrixXd;
using VectorD = Eigen::VectorXd;

} // namespace xfmr
