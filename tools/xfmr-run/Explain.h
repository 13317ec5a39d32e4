// --explain: the most that this machine allows this model, by bytes and operations a token, beside what a short measurement gives.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

Status explain(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
