// See SelfTestBytes.h.
#include "passes/lowering/SelfTestBytes.h"
#include "passes/witness/Cases.h"

using namespace mlir;
using namespace xfmr;

static witness::Cases casesOf(KernelAttrInterface kernel) {
#define XFMR_CASES(Name)                                                                                               \
  if (auto attribute = dyn_cast<Name##Attr>(kernel))                                                                   \
    return witness::casesOf(attribute.getFields());
  XFMR_KERNELS(XFMR_CASES)
#undef XFMR_CASES
  return {};
}

flatbuffers::DetachedBuffer xfmr::buildSelfTest(ProgramOp program) {
  if (!program.targetOrPortable().isVulkan())
    return {};
  selftest::SelfTestT test;
  for (auto executable : program.getBody().getOps<ExecutableOp>())
    for (selftest::CaseT &each : casesOf(executable.getKernel()))
      test.cases.push_back(std::make_unique<selftest::CaseT>(std::move(each)));
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(selftest::SelfTest::Pack(builder, &test), selftest::SelfTestIdentifier());
  return builder.Release();
}
