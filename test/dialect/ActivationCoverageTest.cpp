// Every activation function of the dialect is known where it must be; one that is missing somewhere fails by name. That it has a
// line in passes/codegen/Activations.def the compiler checks (dialect/kernels/Kernels.cpp).
#include "dialect/Xfmr.h"
#include "import/Decoder.h"
#include "passes/calibration/Lanes.h"
#include "passes/codegen/builder/ActivationFormula.h"
#include "reference/ops/Activation.h"
#include <gtest/gtest.h>
#include <cmath>
#include <map>

using namespace xfmr;

namespace {

/// Those that no configuration names, and why.
const std::map<std::string, const char *> kUnnamed = {
    {"sigmoid", "gates of shared experts, written by importers themselves"},
    {"tanh", "inside of softcaps; no known decoder has it between its matrices"},
};

std::vector<ActivationKind> allKinds() {
  std::vector<ActivationKind> all;
  for (uint32_t i = 0; i <= getMaxEnumValForActivationKind(); ++i)
    if (std::optional<ActivationKind> kind = symbolizeActivationKind(i))
      all.push_back(*kind);
  return all;
}

double formula(codegen::Activation function, double x) {
  return codegen::activationFormula(function, calibration::constantLike({}, x)).each[0];
}

TEST(ActivationCoverage, TheFormulaIsWhatTheWitnessSays) {
  for (ActivationKind kind : allKinds()) {
    const std::string name = stringifyActivationKind(kind).str();
    EXPECT_EQ(name, codegen::word(kernelActivation(kind)));
    ASSERT_FALSE(std::isnan(reference::activation(kind, 1)))
        << name << " has no value in the witness: add it to reference/ops/Activation.cpp";
    for (double x = -8; x <= 8; x += 0.125)
      ASSERT_NEAR(formula(kernelActivation(kind), x), reference::activation(kind, x), 2e-6 * std::max(1.0, x * x))
          << name << " of " << x << ": passes/codegen/Activations.def and reference/ops/Activation.cpp differ";
  }
}

TEST(ActivationCoverage, KeepsZeroWhereTheTableSaysSo) {
  for (ActivationKind kind : allKinds())
    EXPECT_EQ(codegen::keepsZero(kernelActivation(kind)), reference::activation(kind, 0) == 0)
        << stringifyActivationKind(kind).str() << ": see keepsZero in passes/codegen/Activations.def";
}

TEST(ActivationCoverage, ConfigurationsCanNameIt) {
  for (ActivationKind kind : allKinds()) {
    const std::string name = stringifyActivationKind(kind).str();
    const bool isNamed = llvm::any_of(activationWords(), [&](auto &entry) { return entry.second == kind; });
    if (kUnnamed.count(name))
      EXPECT_FALSE(isNamed) << name << " is imported, and the table above says it is not";
    else
      EXPECT_TRUE(isNamed) << name << " is what no configuration says: add its words to activationWords in import/Decoder.cpp";
  }
}

} // namespace
