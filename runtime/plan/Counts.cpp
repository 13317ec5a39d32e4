// Dispatches and barriers by layer; see Counts.h.
#include "runtime/plan/Counts.h"
#include "runtime/plan/Work.h"
#include <algorithm>
#include <map>

using namespace xfmr;

namespace {

struct Counts {
  uint32_t dispatches = 0, barriers = 0;
};

std::string number(uint32_t least, uint32_t most) {
  return std::to_string(least) + (least == most ? "" : " to " + std::to_string(most));
}

} // namespace

std::string plan::describeCounts(const program::Program &program) {
  std::string text;
  for (const program::Phase *phase : *program.phases()) {
    Counts all;
    std::map<int32_t, Counts> layers;
    for (const program::Dispatch *dispatch : *phase->dispatches()) {
      const int32_t layer = plan::layerOf(*dispatch);
      for (Counts *counts : {&all, layer < 0 ? nullptr : &layers[layer]})
        if (counts) {
          ++counts->dispatches;
          counts->barriers += dispatch->barrier();
        }
    }
    text += program.target()->str() + " " + phase->name()->str() + ": " + std::to_string(all.dispatches) + " dispatches, " +
            std::to_string(all.barriers) + " barriers";
    if (!layers.empty()) {
      Counts least = layers.begin()->second, most = least;
      for (const auto &[layer, counts] : layers) {
        least = {std::min(least.dispatches, counts.dispatches), std::min(least.barriers, counts.barriers)};
        most = {std::max(most.dispatches, counts.dispatches), std::max(most.barriers, counts.barriers)};
      }
      text += "; a layer " + number(least.dispatches, most.dispatches) + " and " +
              number(least.barriers, most.barriers) + " (" + std::to_string(layers.size()) + " layers)";
    }
    text += "\n";
  }
  return text;
}
