// See SelfTest.h. A case has buffers of its own, written and read through staging memory.
#include "runtime/vulkan/SelfTest.h"
#include "runtime/vulkan/Commands.h"
#include "runtime/vulkan/DescriptorSets.h"
#include "runtime/vulkan/Memory.h"
#include <cstring>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

/// One run of a kernel on a case.
class CaseRun {
public:
  CaseRun(const std::shared_ptr<Device> &device, const selftest::Case &test)
      : device_(device), test_(test), memory_(device), sets_(device), commands_(device) {}

  Status run(const Kernel &kernel, std::string &wrong) {
    for (Status (CaseRun::*step)(const Kernel &) : {&CaseRun::place, &CaseRun::bind, &CaseRun::submit})
      if (Status s = (this->*step)(kernel); s.failed())
        return s;
    std::vector<std::vector<uint32_t>> after;
    uint64_t at = 0;
    for (const Buffer &buffer : buffers_) {
      after.emplace_back(buffer.size / 4);
      std::memcpy(after.back().data(), back_.mapped + at, buffer.size);
      at += buffer.size;
    }
    wrong = artifact::compareResults(test_, after);
    return Status::success();
  }

private:
  Status place(const Kernel &) {
    std::vector<uint32_t> all;
    for (const selftest::Buffer *buffer : *test_.buffers()) {
      const std::vector<uint32_t> words = artifact::initialWords(*buffer);
      buffers_.emplace_back();
      if (Status s = memory_.add(words.size() * 4, Placement::device, "self-test", buffers_.back()); s.failed())
        return s;
      all.insert(all.end(), words.begin(), words.end());
    }
    for (auto [placement, buffer] : {std::pair(Placement::upload, &staged_), {Placement::readback, &back_}})
      if (Status s = memory_.add(all.size() * 4, placement, "self-test", *buffer); s.failed())
        return s;
    std::memcpy(staged_.mapped, all.data(), all.size() * 4);
    return Status::success();
  }

  Status bind(const Kernel &kernel) {
    const auto count = static_cast<uint32_t>(buffers_.size());
    if (Status s = sets_.create(1, count); s.failed())
      return s;
    std::vector<VkDescriptorBufferInfo> ranges;
    for (const Buffer &buffer : buffers_)
      ranges.push_back({buffer.handle, 0, VK_WHOLE_SIZE});
    return sets_.add(kernel, ranges, set_);
  }

  Status submit(const Kernel &kernel) {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    if (Status s = commands_.create(1); s.failed())
      return s;
    if (Status s = commands_.allocate(commands); s.failed())
      return s;
    if (Status s = commands_.begin(commands, false); s.failed())
      return s;
    copy(commands, true);
    fullBarrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set_, 0, nullptr);
    uint32_t push[artifact::kMaxPushWords] = {};
    for (uint32_t i = 0; test_.push() && i < test_.push()->size(); ++i)
      push[i] = test_.push()->Get(i);
    vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    vkCmdDispatch(commands, test_.grid()->Get(0), test_.grid()->Get(1), test_.grid()->Get(2));
    fullBarrier(commands);
    copy(commands, false);
    fullBarrier(commands);
    if (Status s = commands_.end(commands); s.failed())
      return s;
    if (Status s = commands_.submit({commands}, 0); s.failed())
      return s;
    return commands_.wait(0);
  }

  void copy(VkCommandBuffer commands, bool there) {
    uint64_t at = 0;
    for (const Buffer &buffer : buffers_) {
      VkBufferCopy range{there ? at : 0, there ? 0 : at, buffer.size};
      vkCmdCopyBuffer(commands, there ? staged_.handle : buffer.handle, there ? buffer.handle : back_.handle, 1,
                      &range);
      at += buffer.size;
    }
  }

  std::shared_ptr<Device> device_;
  const selftest::Case &test_;
  Memory memory_;
  DescriptorSets sets_;
  Commands commands_;
  std::vector<Buffer> buffers_;
  Buffer staged_, back_;
  VkDescriptorSet set_ = VK_NULL_HANDLE;
};

} // namespace

bool xfmr::vulkan::testKernel(const program::Kernel &kernel, const std::set<std::string> &features,
                              const RunVariant &run, const std::function<void(const Finding &)> &found,
                              LeftOut &leftOut) {
  for (;;) {
    const uint32_t variant = chooseVariant(kernel, features, leftOut);
    const program::Variant &code = *kernel.variants()->Get(variant);
    Finding finding{kernel.name()->str(), variantLabel(code), true, variant + 1 == kernel.variants()->size(),
                    run(variant)};
    found(finding);
    if (finding.wrong.empty() || finding.last)
      return finding.wrong.empty();
    leftOut.insert(code.tensor()->str());
  }
}

Status xfmr::vulkan::selfTest(const artifact::Artifact &artifact, const std::shared_ptr<Device> &device,
                              const std::function<void(const Finding &)> &found, LeftOut &leftOut,
                              uint32_t &wrongKernels) {
  const selftest::SelfTest *test = nullptr;
  if (Status s = artifact::readSelfTest(artifact, test); s.failed())
    return s;
  const PipelineCache cache(device);
  Status failure = Status::success();
  for (const program::Kernel *kernel : *artifact.program(artifact::Target::vulkan)->kernels()) {
    std::vector<const selftest::Case *> cases;
    for (const selftest::Case *each : *test->cases())
      if (each->kernel()->string_view() == kernel->name()->string_view())
        cases.push_back(each);
    if (cases.empty()) {
      found({kernel->name()->str(), "", false, false, ""});
      continue;
    }
    auto run = [&](uint32_t variant) -> std::string {
      Kernels compiled(device);
      if (Status s = compiled.add(artifact, *kernel, variant, cache); s.failed())
        return s.message();
      for (const selftest::Case *each : cases) {
        std::string wrong;
        if (Status s = CaseRun(device, *each).run(compiled.at(0), wrong); s.failed())
          failure = s;
        if (failure.failed() || !wrong.empty())
          return failure.failed() ? failure.message() : wrong;
      }
      return "";
    };
    wrongKernels += !testKernel(*kernel, device->facts().features, run, found, leftOut);
    if (failure.failed())
      return failure;
  }
  return Status::success();
}
