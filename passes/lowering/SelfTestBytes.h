// The self-test of a program for Vulkan (runtime/artifact/SelfTest.fbs): the witness' cases of every kernel.
#pragma once
#include "dialect/Xfmr.h"
#include <flatbuffers/flatbuffers.h>

namespace xfmr {

/// None for the CPU, whose code is what the tests of a build run.
flatbuffers::DetachedBuffer buildSelfTest(ProgramOp program);

} // namespace xfmr
