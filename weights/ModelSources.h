// Opens the weight sources that a model of the dialect names.
#pragma once
#include "dialect/Xfmr.h"
#include "weights/WeightSources.h"

namespace xfmr {

/// Opens every source of `model`. Relative paths are relative to `folder` (the folder of the IR file,
/// see sourceFolder() in import/Import.h). `overrides` are "NAME=PATH" texts of `--source` options:
/// they replace the path, relative to the working directory; a name that the model does not have is
/// refused.
Status openModelSources(ModelOp model, const std::string &folder,
                        const std::vector<std::string> &overrides, WeightSources &out);

/// The folder of source "base": of a checkpoint's tokenizer and configuration. A relative path is relative to `folder`.
std::string baseFolder(ModelOp model, const std::string &folder);
/// The same of a program, which keeps the sources of its model.
std::string baseFolder(ProgramOp program, const std::string &folder);

} // namespace xfmr
