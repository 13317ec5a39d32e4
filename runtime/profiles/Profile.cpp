// The families' files as tables; see Profile.h.
#include "runtime/profiles/Profile.h"

namespace xfmr::profiles {
namespace {

constexpr double kGiga = 1e9, kTera = 1e12;

/// What the words of a .def file mean.
class FamilyMaker {
public:
  FamilyMaker(const char *name, const char *title) {
    made.name = name;
    made.title = title;
  }
  FamilyMaker &bindingBytes(uint64_t bytes) { return made.bindingBytes = bytes / 256 * 256, *this; }
  FamilyMaker &subgroups(uint32_t size) {
    made.subgroupSize = size;
    return offers({"subgroup_size_" + std::to_string(size)});
  }
  FamilyMaker &offers(const std::vector<std::string> &features) {
    made.features.insert(features.begin(), features.end());
    return *this;
  }
  /// What every GPU of these families has.
  FamilyMaker &gpu() {
    return offers(
        {"gpu", "subgroup_arithmetic", "subgroup_shuffle", "subgroup_ballot", "workgroup_256", "workgroup_512"});
  }
  /// GiB, GB/s, Tflop/s of f32, Tflop/s of f16 by matrix units.
  FamilyMaker &member(const char *name, const char *product, double gib, double gigabytes, double tera, double matrix) {
    made.members.push_back({name, product, gib * (1 << 30), gigabytes * kGiga, tera * kTera, matrix * kTera});
    return *this;
  }

  Family made;
};

Family family(const FamilyMaker &maker) {
  return maker.made;
}

} // namespace

const std::vector<Family> &families() {
  static const std::vector<Family> all = {
      family(
#include "runtime/profiles/gcn.def"
          ),
      family(
#include "runtime/profiles/rdna2.def"
          ),
      family(
#include "runtime/profiles/rdna3.def"
          ),
      family(
#include "runtime/profiles/rdna4.def"
          ),
      family(
#include "runtime/profiles/turing.def"
          ),
      family(
#include "runtime/profiles/ampere.def"
          ),
      family(
#include "runtime/profiles/ada.def"
          ),
      family(
#include "runtime/profiles/hopper.def"
          ),
      family(
#include "runtime/profiles/blackwell.def"
          ),
      family(
#include "runtime/profiles/arc.def"
          ),
      family(
#include "runtime/profiles/intel.def"
          ),
      family(
#include "runtime/profiles/apple.def"
          ),
      family(
#include "runtime/profiles/adreno.def"
          ),
      family(
#include "runtime/profiles/mali.def"
          ),
      family(
#include "runtime/profiles/lavapipe.def"
          ),
      family(
#include "runtime/profiles/swiftshader.def"
          ),
  };
  return all;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Family &each : families()) {
    all.push_back(each.name);
    for (const Member &member : each.members)
      all.push_back(member.name);
  }
  return all;
}

Profile findProfile(const std::string &name, std::string &error) {
  Profile found;
  for (const Family &each : families()) {
    for (const Member &member : each.members)
      if (each.name == name || member.name == name) {
        found.family = &each;
        found.members.push_back(&member);
      }
    if (each.name == name)
      found.family = &each;
    if (found.family)
      return found;
  }
  error = "there is no device '" + name + "', there are";
  for (const std::string &each : names())
    error += (each == names().front() ? " " : ", ") + each;
  return found;
}

} // namespace xfmr::profiles
