// What passes share that change a model along a text, and then fit what is left.
#pragma once

#include "passes/PruneOptions.h"

#include "dialect/Xfmr.h"

namespace xfmr {

/// A pass with the options `textOptions` of Moe.td and `out`: the text is followed on the path of the model as changed so
/// far, and what is left is fitted.
template <typename Base> struct TextPass : Base {
  using Base::Base;

protected:
  /// Fails, with an error at the model, without a text or with a damping below 0.
  mlir::FailureOr<CalibrationOptions> followText(ModelOp model, llvm::StringRef what) const {
    CalibrationOptions options;
    options.method = UnitMethod::obs;
    options.repair = Repair::ls;
    options.path = CalibrationPath::pruned;
    options.texts.assign(this->texts.begin(), this->texts.end());
    options.window = this->window;
    options.damping = this->damping;
    options.out = this->out;
    if (options.texts.empty())
      return model.emitError() << what << " needs a calibration text (text=FILE)";
    if (!(options.damping >= 0))
      return model.emitError("damping is ") << options.damping << ", expected 0 or more";
    return options;
  }
};

} // namespace xfmr
