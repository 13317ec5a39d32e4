// See Tune.h.
#include "tools/xfmr-run/Tune.h"
#include "tools/xfmr-run/Handles.h"
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;
using nlohmann::ordered_json;

namespace {

struct Sums {
  bool json;
  std::string device, kernel;
  uint32_t kernels = 0, variants = 0, otherwise = 0; // kernels that take another than their first
};

void onMeasured(void *user, const xfmr_measured *measured) {
  Sums &sums = *static_cast<Sums *>(user);
  const bool first = sums.kernel != measured->kernel;
  sums.device = measured->device;
  sums.kernel = measured->kernel;
  sums.kernels += first;
  ++sums.variants;
  sums.otherwise += measured->chosen && !first;
  if (sums.json) {
    ordered_json line = {{"kernel", measured->kernel},
                         {"variant", measured->variant},
                         {"seconds", measured->seconds},
                         {"chosen", measured->chosen}};
    std::printf("%s\n", line.dump().c_str());
  } else if (measured->seconds == 0) {
    std::printf("%s, %s: not run%s\n", measured->kernel, measured->variant, measured->chosen ? "; taken" : "");
  } else {
    std::printf("%s, %s: %.3f ms%s\n", measured->kernel, measured->variant, measured->seconds * 1e3,
                measured->chosen ? "; taken" : "");
  }
}

} // namespace

Status xfmr::run::tune(const Options &options) {
  Sums sums{options.json, "", "", 0, 0, 0};
  char file[4096] = "";
  Status status =
      checked(xfmr_tune(options.artifact.c_str(), options.device.c_str(), onMeasured, &sums, file, sizeof file));
  if (status.failed())
    return status;
  if (options.json)
    std::printf("%s\n", ordered_json({{"device", sums.device},
                                      {"kernels", sums.kernels},
                                      {"variants", sums.variants},
                                      {"otherwise", sums.otherwise},
                                      {"file", file}})
                            .dump()
                            .c_str());
  else if (!sums.kernels)
    std::printf("no kernel has more than one variant that this device can run: there is nothing to choose\n");
  else
    std::printf("%u variants of %u kernels measured on %s, %u kernels take another than the first; %s%s\n",
                sums.variants, sums.kernels, sums.device.c_str(), sums.otherwise,
                *file ? "kept in " : "there is no place to keep it", file);
  return status;
}
