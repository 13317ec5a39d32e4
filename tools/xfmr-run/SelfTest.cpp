// See SelfTest.h.
#include "tools/xfmr-run/SelfTest.h"
#include "tools/xfmr-run/Handles.h"
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;
using nlohmann::ordered_json;

namespace {

struct Sums {
  bool json;
  std::string device;
  uint32_t right = 0, leftOut = 0, untested = 0;
};

void onFinding(void *user, const xfmr_finding *finding) {
  Sums &sums = *static_cast<Sums *>(user);
  sums.device = finding->device;
  const bool tested = *finding->variant;
  sums.untested += !tested;
  sums.right += tested && !*finding->wrong;
  sums.leftOut += finding->left_out;
  if (sums.json) {
    ordered_json line = {
        {"kernel", finding->kernel}, {"variant", finding->variant}, {"tested", tested}, {"wrong", finding->wrong}};
    std::printf("%s\n", line.dump().c_str());
  } else if (!tested) {
    std::printf("%s: not tested, there is no case of it\n", finding->kernel);
  } else {
    std::printf("%s, %s: %s%s%s\n", finding->kernel, finding->variant, *finding->wrong ? "wrong, " : "right",
                finding->wrong, finding->left_out ? "; left out" : "");
  }
}

} // namespace

Status xfmr::run::selfTest(const Options &options) {
  Sums sums{options.json, "", 0, 0, 0};
  uint32_t wrong = 0;
  Status status = checked(xfmr_self_test(options.artifact.c_str(), options.device.c_str(), onFinding, &sums, &wrong));
  if (status.failed())
    return status;
  if (options.json)
    std::printf("%s\n", ordered_json({{"device", sums.device},
                                      {"right", sums.right},
                                      {"left_out", sums.leftOut},
                                      {"untested", sums.untested},
                                      {"wrong", wrong}})
                            .dump()
                            .c_str());
  else
    std::printf("%u kernels right on %s, %u variants left out, %u kernels not tested\n", sums.right,
                sums.device.c_str(), sums.leftOut, sums.untested);
  if (wrong)
    return Status::error(std::to_string(wrong) + (wrong == 1 ? " kernel computes" : " kernels compute") +
                         " wrong values on '" + sums.device +
                         "' by every variant: a newer driver or another device is needed");
  return status;
}
