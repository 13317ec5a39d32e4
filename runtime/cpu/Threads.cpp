// Affinity and the topology in /sys; see Threads.h.
#include "runtime/cpu/Threads.h"
#include <algorithm>
#include <fstream>
#include <sched.h>
#include <set>
#include <string>

uint32_t xfmr::cpu::allowedCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return 1;
  std::set<std::string> cores; // by the list of their processors; a processor without one counts for itself
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed))
      continue;
    std::string siblings;
    std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    if (!std::getline(in, siblings) || siblings.empty())
      siblings = "cpu" + std::to_string(cpu);
    cores.insert(siblings);
  }
  return std::max<uint32_t>(1, static_cast<uint32_t>(cores.size()));
}
