// Semantic validation of a program; see ProgramCheck.h. Checks run from the whole to the parts, so that a
// message names the cause and not a consequence.
#include "runtime/artifact/ProgramCheck.h"
#include "runtime/artifact/Artifact.h"
#include "runtime/artifact/KernelCode.h"
#include "runtime/artifact/Panels.h"
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

using namespace xfmr;
using namespace xfmr::artifact;
using program::Access;
using program::BufferKind;
using program::Layout;

namespace {

constexpr const char *kPhases[] = {"prefill", "all_logits", "last_logits", "decode", "sample"};
constexpr size_t kEncoderPhases = 2; // the first of them: an encoder has no others
constexpr const char *kFew = "prefill_few"; // may be absent
constexpr const char *kEncode = "encode";   // of an encoder with a decoder
constexpr const char *kGreedy = "sample_greedy"; // may be absent
constexpr uint64_t kMaxBufferBytes = uint64_t(1) << 48;
constexpr uint32_t kMaxIds = 1u << 30; // tokens, vocabulary, context: products stay below 2^64

std::string number(uint64_t value) { return std::to_string(value); }
std::string quoted(const flatbuffers::String *text) {
  return "'" + (text ? text->str() : std::string()) + "'";
}

struct Checker {
  const program::Program &program;
  const SafetensorsFile &file;
  const Target target;
  const TargetLimits limits = limitsOf(target);
  /// Each SPIR-V module is read once, however many variants refer to it: their number is the file's to say.
  mutable std::map<const TensorView *, std::set<std::string>> entriesOfCode = {};

  const program::Phase *phase(const char *name) const {
    for (const program::Phase *phase : *program.phases())
      if (phase->name()->str() == name)
        return phase;
    return nullptr;
  }

  Status model() const {
    if (program.version() < kOldestProgramVersion || program.version() > kProgramVersion)
      return Status::error("program version " + number(program.version()) + " found, this runtime reads versions " +
                           number(kOldestProgramVersion) + " to " + number(kProgramVersion));
    if (program.target()->str() != targetName(target))
      return Status::error("program for target " + quoted(program.target()) + " in the tensor '" +
                           programTensor(target) + "', which is for '" + targetName(target) + "'");
    if (program.vocab_size() < 1 || program.vocab_size() > kMaxIds)
      return Status::error("vocabulary of " + number(program.vocab_size()) + " ids");
    if (program.max_context() < 1 || program.max_context() > kMaxIds)
      return Status::error("context of " + number(program.max_context()) + " tokens");
    auto inVocabulary = [&](int64_t id) { return id >= 0 && id < program.vocab_size(); };
    if (program.bos_token() != -1 && !inVocabulary(program.bos_token()))
      return Status::error("begin token " + std::to_string(program.bos_token()) +
                           " is outside the vocabulary of " + number(program.vocab_size()));
    if (program.eos_tokens() && program.eos_tokens()->size() > kMaxEndTokens)
      return Status::error(number(program.eos_tokens()->size()) + " end tokens, allowed are " +
                           number(kMaxEndTokens));
    if (program.eos_tokens())
      for (int32_t id : *program.eos_tokens())
        if (!inVocabulary(id))
          return Status::error("end token " + std::to_string(id) +
                               " is outside the vocabulary of " + number(program.vocab_size()));
    return Status::success();
  }

  Status phases() const {
    std::set<std::string> seen;
    for (const program::Phase *phase : *program.phases()) {
      std::string name = phase->name()->str();
      bool known = name == kFew || name == kEncode || name == kGreedy;
      for (const char *fixed : kPhases)
        known |= name == fixed;
      if (!known)
        return Status::error("unknown phase '" + name + "'");
      if (!seen.insert(name).second)
        return Status::error("phase '" + name + "' appears twice");
    }
    const bool encoder = std::none_of(std::begin(kPhases) + kEncoderPhases, std::end(kPhases),
                                      [&](const char *fixed) { return seen.count(fixed) > 0; });
    for (size_t i = 0; i < (encoder ? kEncoderPhases : std::size(kPhases)); ++i)
      if (!seen.count(kPhases[i]))
        return Status::error("phase '" + std::string(kPhases[i]) + "' is missing");
    if (encoder && (program.hidden_size() < 1 || program.hidden_size() > kMaxIds))
      return Status::error("hidden states of " + number(program.hidden_size()) + " columns");
    if (encoder)
      for (size_t i = 0; i < kEncoderPhases; ++i)
        if (phase(kPhases[i])->tokens() < program.max_context())
          return Status::error("phase '" + std::string(kPhases[i]) + "' of an encoder takes " +
                               number(phase(kPhases[i])->tokens()) + " tokens, expected its whole context of " +
                               number(program.max_context()));
    for (const char *name : {"prefill", "all_logits"})
      if (phase(name)->tokens() < 1 || phase(name)->tokens() > kMaxIds)
        return Status::error("phase '" + std::string(name) + "' takes " +
                             number(phase(name)->tokens()) + " tokens");
    const program::Phase *few = phase(kFew);
    if (few && (few->tokens() < 1 || few->tokens() >= phase("prefill")->tokens()))
      return Status::error("phase 'prefill_few' takes " + number(few->tokens()) + " tokens, allowed are 1 to " +
                           number(phase("prefill")->tokens() - 1) + ", fewer than 'prefill'");
    const program::Phase *encode = phase(kEncode);
    if (encode && (encoder || encode->tokens() < 1 || encode->tokens() > program.max_context()))
      return Status::error("phase 'encode' takes " + number(encode->tokens()) + " tokens, allowed are 1 to the context of " +
                           number(program.max_context()) + ", beside a decoder");
    return Status::success();
  }

  Status buffers() const {
    std::set<std::string> names;
    uint32_t counts[static_cast<size_t>(BufferKind::MAX) + 1] = {};
    for (const program::Buffer *buffer : *program.buffers()) {
      if (!names.insert(buffer->name()->str()).second)
        return Status::error("buffer " + quoted(buffer->name()) + " appears twice");
      if (buffer->kind() > BufferKind::MAX)
        return Status::error("buffer " + quoted(buffer->name()) + " has the unknown kind " +
                             number(static_cast<uint64_t>(buffer->kind())));
      if (buffer->size() == 0 || buffer->size() > kMaxBufferBytes || buffer->size() % 4)
        return Status::error("buffer " + quoted(buffer->name()) + " has a size of " +
                             number(buffer->size()) + " bytes");
      ++counts[static_cast<size_t>(buffer->kind())];
      if (Status status = bufferSize(*buffer); status.failed())
        return status;
    }
    for (BufferKind kind :
         {BufferKind::state, BufferKind::tokens, BufferKind::output, BufferKind::logits})
      if (counts[static_cast<size_t>(kind)] != 1)
        return Status::error("expected one buffer of kind '" +
                             std::string(program::EnumNameBufferKind(kind)) + "', found " +
                             number(counts[static_cast<size_t>(kind)]));
    if (counts[static_cast<size_t>(BufferKind::seen)] > 1)
      return Status::error("expected at most one buffer of kind 'seen', found " +
                           number(counts[static_cast<size_t>(BufferKind::seen)]));
    return Status::success();
  }

  static Status tensorBytes(const program::Buffer &buffer, const TensorView &tensor, uint64_t need) {
    if (tensor.byteSize == need)
      return Status::success();
    return Status::error("weight " + quoted(buffer.name()) + " has " + number(tensor.byteSize) +
                         " bytes, the program needs " + number(need));
  }

  /// A weight whose tensor lies in panels of the CPU.
  Status panels(const program::Buffer &buffer, const TensorView &tensor) const {
    const std::string where = "weight " + quoted(buffer.name()) + " in panels";
    if (buffer.layout() > Layout::MAX || buffer.element() > program::Element::bf16)
      return Status::error("weight " + quoted(buffer.name()) + " has an unknown layout or type of elements");
    if (buffer.groups() < 1 || buffer.rows() < 1 || buffer.columns() < 1 || buffer.columns() % 8 ||
        buffer.rows() > kMaxIds || buffer.columns() > kMaxIds)
      return Status::error(where + " says " + number(buffer.groups()) + " times " + number(buffer.rows()) + " rows of " +
                           number(buffer.columns()) + " columns, which must be at least 1 and a multiple of 8");
    const uint64_t row = buffer.columns() * bytesOf(buffer.element());
    const uint64_t padded = (buffer.rows() + kPanelRows - 1) / kPanelRows * kPanelRows;
    if (buffer.groups() > kMaxBufferBytes / row / padded)
      return Status::error(where + " is too large");
    if (Status status = tensorBytes(buffer, tensor, buffer.groups() * padded * row); status.failed())
      return status;
    const uint64_t plain = buffer.groups() * buffer.rows() * row;
    if (target == Target::cpu ? buffer.size() != tensor.byteSize : buffer.size() < plain)
      return Status::error(where + " fills " + number(target == Target::cpu ? tensor.byteSize : plain) +
                           " bytes, the buffer has " + number(buffer.size()));
    return Status::success();
  }

  Status bufferSize(const program::Buffer &buffer) const {
    if (buffer.kind() == BufferKind::weight) {
      const TensorView *tensor = file.find(buffer.name()->str());
      if (!tensor)
        return Status::error("weight " + quoted(buffer.name()) + " is not in the artifact");
      if (tensor->fileOffset % kTensorAlign)
        return Status::error("weight " + quoted(buffer.name()) + " lies at byte " +
                             number(tensor->fileOffset) + ", not at a multiple of " +
                             number(kTensorAlign));
      return buffer.layout() == Layout::rows ? tensorBytes(buffer, *tensor, buffer.size()) : panels(buffer, *tensor);
    }
    uint64_t need = 0;
    switch (buffer.kind()) {
    case BufferKind::state: need = kMinStateBytes; break;
    case BufferKind::tokens:
      need = 4 * uint64_t(std::max(phase("prefill")->tokens(), phase(kEncode) ? phase(kEncode)->tokens() : 0));
      break;
    case BufferKind::output: need = 4 * uint64_t(program.max_context()); break;
    case BufferKind::logits:
      need = 4 * paddedWidth(outputWidth(program)) * phase("all_logits")->tokens();
      break;
    case BufferKind::seen: need = 4 * uint64_t((program.vocab_size() + 31) / 32); break;
    case BufferKind::probe:
      if (buffer.columns() < 1 || buffer.columns() > kMaxIds ||
          buffer.name()->string_view().rfind(kProbePrefix, 0) != 0)
        return Status::error("buffer " + quoted(buffer.name()) + " of a probe has " + number(buffer.columns()) +
                             " columns, expected 1 to " + number(kMaxIds) + " and a name behind '" + kProbePrefix +
                             "'");
      need = 4 * paddedWidth(static_cast<uint32_t>(buffer.columns())) * uint64_t(phase("prefill")->tokens());
      break;
    default: break;
    }
    if (buffer.size() < need)
      return Status::error("buffer " + quoted(buffer.name()) + " has " + number(buffer.size()) +
                           " bytes, needed are " + number(need));
    return Status::success();
  }

  Status kernels() const {
    for (const program::Kernel *kernel : *program.kernels()) {
      std::string where = "kernel " + quoted(kernel->name());
      if (kernel->workgroup_size()->size() != 3)
        return Status::error(where + " has a workgroup size of " +
                             number(kernel->workgroup_size()->size()) + " dimensions");
      uint64_t invocations = 1;
      for (uint32_t n : *kernel->workgroup_size()) {
        invocations *= n;
        if (n < 1 || n > limits.invocations || invocations > limits.invocations)
          return Status::error(where + " has a workgroup larger than " + number(limits.invocations) +
                               " or empty");
      }
      if (kernel->bindings()->size() < 1 || kernel->bindings()->size() > limits.bindings)
        return Status::error(where + " has " + number(kernel->bindings()->size()) +
                             " bindings, allowed are 1 to " + number(limits.bindings));
      for (uint32_t i = 0; i < kernel->bindings()->size(); ++i)
        if (static_cast<Access>(kernel->bindings()->Get(i)) > Access::MAX)
          return Status::error(where + " has a binding of unknown access");
      if (kernel->variants()->size() == 0)
        return Status::error(where + " has no variant");
      for (const program::Variant *variant : *kernel->variants()) {
        const TensorView *code = file.find(variant->tensor()->str());
        if (!code)
          return Status::error(where + ": its code " + quoted(variant->tensor()) +
                               " is not in the artifact");
        if (Status s = target == Target::cpu ? cpuVariant(*variant) : vulkanVariant(*variant, *code); s.failed())
          return Status::error(where + ": " + s.message());
      }
      const auto *last = kernel->variants()->Get(kernel->variants()->size() - 1);
      if (target == Target::vulkan && last->requires_() && last->requires_()->size())
        return Status::error(where + " has no portable variant in last place");
    }
    return target == Target::cpu ? sharedObject() : Status::success();
  }

  Status vulkanVariant(const program::Variant &variant, const TensorView &code) const {
    if (code.fileOffset % 4)
      return Status::error("its code is not aligned");
    const auto [entries, first] = entriesOfCode.try_emplace(&code);
    if (Status s = first ? checkSpirv(code.data, code.byteSize, entries->second) : Status::success(); s.failed())
      return Status::error("tensor " + quoted(variant.tensor()) + ": " + s.message());
    if (!entries->second.count(variant.entry()->str()))
      return Status::error("tensor " + quoted(variant.tensor()) + ": SPIR-V has no compute entry point " + quoted(variant.entry()));
    return Status::success();
  }

  static Status cpuVariant(const program::Variant &variant) {
    if (variant.tensor()->string_view() != kCpuCodeTensor)
      return Status::error("its code is the tensor " + quoted(variant.tensor()) + ", expected '" +
                           std::string(kCpuCodeTensor) + "'");
    auto isOf = [&](const auto &levels) {
      return std::find(std::begin(levels), std::end(levels), variant.requires_()->Get(0)->string_view()) != std::end(levels);
    };
    if (variant.requires_() && variant.requires_()->size() == 1 && (isOf(kCpuLevels) || isOf(kArmLevels)))
      return Status::success();
    return Status::error("its variant " + quoted(variant.entry()) + " must name one level: v2, v3, v4, v4_dot, v4_amx, neon or neon_dot");
  }

  Status sharedObject() const {
    const TensorView *code = file.find(kCpuCodeTensor);
    if (!code)
      return Status::success(); // no kernel refers to it
    Status status = checkSharedObject(code->data, code->byteSize);
    return status.ok() ? status : Status::error("tensor '" + std::string(kCpuCodeTensor) + "': " + status.message());
  }

  /// FlatBuffers' verifier looks at where the length of a vector lies, not at where its structs do, which hold numbers of eight bytes.
  template <class Struct> Status aligned(const flatbuffers::Vector<const Struct *> &structs, const char *what) const {
    const uint64_t at = structs.Data() - file.find(programTensor(target))->data;
    if (at % alignof(Struct) == 0)
      return Status::success();
    return Status::error(std::string(what) + " lie at byte " + number(at) + " of the program, expected a multiple of " +
                         number(alignof(Struct)));
  }

  Status dispatch(const program::Dispatch &dispatch) const {
    if (Status status = aligned(*dispatch.bindings(), "its bindings"); status.failed())
      return status;
    if (dispatch.kernel() >= program.kernels()->size())
      return Status::error("kernel " + number(dispatch.kernel()) + " of " +
                           number(program.kernels()->size()));
    const program::Kernel &kernel = *program.kernels()->Get(dispatch.kernel());
    if (dispatch.bindings()->size() != kernel.bindings()->size())
      return Status::error(number(dispatch.bindings()->size()) + " bindings, kernel " +
                           quoted(kernel.name()) + " has " + number(kernel.bindings()->size()));
    for (uint32_t i = 0; i < dispatch.bindings()->size(); ++i) {
      const program::Binding &b = *dispatch.bindings()->Get(i);
      std::string where = "binding " + number(i) + ": ";
      if (b.buffer() >= program.buffers()->size())
        return Status::error(where + "buffer " + number(b.buffer()) + " of " +
                             number(program.buffers()->size()));
      const program::Buffer &buffer = *program.buffers()->Get(b.buffer());
      if (b.range() == 0 || b.range() > buffer.size() || b.offset() > buffer.size() - b.range())
        return Status::error(where + "bytes [" + number(b.offset()) + ", +" + number(b.range()) +
                             ") of buffer " + quoted(buffer.name()) + " with " +
                             number(buffer.size()) + " bytes");
      if (b.offset() % kTensorAlign || b.range() % 4)
        return Status::error(where + "offset " + number(b.offset()) + " and range " +
                             number(b.range()) + " must be multiples of " + number(kTensorAlign) +
                             " and 4");
      if (buffer.kind() == BufferKind::weight &&
          static_cast<Access>(kernel.bindings()->Get(i)) != Access::read)
        return Status::error(where + "writes the weight " + quoted(buffer.name()));
    }
    if (dispatch.push() && dispatch.push()->size() > limits.pushWords)
      return Status::error(number(dispatch.push()->size()) + " push words, allowed are " +
                           number(limits.pushWords));
    return dispatch.indirect_buffer() >= 0 ? indirect(dispatch) : grid(dispatch);
  }

  Status grid(const program::Dispatch &dispatch) const {
    if (dispatch.grid()->size() != 3)
      return Status::error("a grid of " + number(dispatch.grid()->size()) + " dimensions");
    uint64_t product = 1;
    for (uint32_t n : *dispatch.grid()) {
      if (n < 1 || n > limits.gridDimension)
        return Status::error("grid dimension " + number(n) + ", allowed are 1 to " +
                             number(limits.gridDimension));
      if (product > limits.gridProduct / n)
        return Status::error("a grid of more than " + number(limits.gridProduct) + " tiles");
      product *= n;
    }
    return Status::success();
  }

  Status indirect(const program::Dispatch &dispatch) const {
    auto index = static_cast<uint32_t>(dispatch.indirect_buffer());
    if (index >= program.buffers()->size())
      return Status::error("indirect buffer " + number(index) + " of " +
                           number(program.buffers()->size()));
    const program::Buffer &buffer = *program.buffers()->Get(index);
    uint64_t offset = dispatch.indirect_offset();
    if (offset % 4 || buffer.size() < 12 || offset > buffer.size() - 12)
      return Status::error("indirect arguments at byte " + number(offset) + " of buffer " +
                           quoted(buffer.name()) + " with " + number(buffer.size()) + " bytes");
    if (buffer.kind() == BufferKind::weight)
      return Status::error("indirect arguments in the weight " + quoted(buffer.name()));
    return Status::success();
  }

  Status dispatches() const {
    for (const program::Phase *phase : *program.phases())
      for (uint32_t i = 0; i < phase->dispatches()->size(); ++i) {
        const program::Dispatch &d = *phase->dispatches()->Get(i);
        if (Status status = dispatch(d); status.failed())
          return Status::error("phase " + quoted(phase->name()) + ", dispatch " + number(i) + " " +
                               quoted(d.label()) + ": " + status.message());
      }
    return Status::success();
  }

  Status borders() const {
    for (const program::Phase *phase : *program.phases()) {
      uint32_t before = 0;
      for (uint32_t i = 0; phase->borders() && i < phase->borders()->size(); ++i) {
        const program::Border &border = *phase->borders()->Get(i);
        const std::string where = "phase " + quoted(phase->name()) + ", border " + number(i);
        if (border.dispatch() <= before || border.dispatch() >= phase->dispatches()->size())
          return Status::error(where + " is at dispatch " + number(border.dispatch()) + ", expected one behind " + number(before) +
                               " of " + number(phase->dispatches()->size()));
        before = border.dispatch();
        if (Status s = border.live() ? aligned(*border.live(), "its rows") : Status::success(); s.failed())
          return Status::error(where + ": " + s.message());
        for (uint32_t v = 0; border.live() && v < border.live()->size(); ++v)
          if (Status s = liveRows(*border.live()->Get(v), *phase); s.failed())
            return Status::error(where + ": " + s.message());
      }
    }
    return Status::success();
  }

  Status liveRows(const program::LiveRows &live, const program::Phase &phase) const {
    if (live.buffer() >= program.buffers()->size())
      return Status::error("buffer " + number(live.buffer()) + " of " + number(program.buffers()->size()));
    const program::Buffer &buffer = *program.buffers()->Get(live.buffer());
    if (buffer.kind() != BufferKind::arena)
      return Status::error("buffer " + quoted(buffer.name()) + " holds no activations");
    if (live.rows() != phase.tokens() || live.row_bytes() < 4 || live.row_bytes() % 4 || live.offset() % 4 ||
        live.row_bytes() > buffer.size() / std::max(live.rows(), 1u) || live.offset() > buffer.size() - live.rows() * live.row_bytes())
      return Status::error(number(live.rows()) + " rows of " + number(live.row_bytes()) + " bytes at byte " + number(live.offset()) +
                           " of buffer " + quoted(buffer.name()) + " with " + number(buffer.size()) + " bytes, expected " +
                           number(phase.tokens()) + " rows");
    return Status::success();
  }

  Status moe() const {
    if (!program.moe_layers() || program.moe_layers()->size() == 0)
      return Status::success();
    uint64_t bytes = 0;
    for (const program::Buffer *buffer : *program.buffers())
      if (buffer->kind() == BufferKind::stats)
        bytes = buffer->size();
    for (const program::MoeLayer *layer : *program.moe_layers()) {
      uint64_t need = 8 * uint64_t(layer->num_experts());
      if (need > bytes || layer->stats_offset() > bytes - need || layer->stats_offset() % 4)
        return Status::error("statistics of layer " + number(layer->layer()) +
                             " lie outside their buffer of " + number(bytes) + " bytes");
    }
    return Status::success();
  }
};

} // namespace

Status xfmr::artifact::checkProgram(const program::Program &program, const SafetensorsFile &file, Target target) {
  Checker checker{program, file, target};
  for (auto check : {&Checker::model, &Checker::phases, &Checker::buffers, &Checker::kernels,
                     &Checker::dispatches, &Checker::borders, &Checker::moe})
    if (Status status = (checker.*check)(); status.failed())
      return status;
  return Status::success();
}

Status xfmr::artifact::checkSameModel(const program::Program &a, const program::Program &b) {
  auto differ = [](const char *what, uint64_t x, uint64_t y) {
    return Status::error("the programs disagree about the " + std::string(what) + ": " + number(x) + " and " +
                         number(y));
  };
  if (a.vocab_size() != b.vocab_size())
    return differ("vocabulary", a.vocab_size(), b.vocab_size());
  if (a.hidden_size() != b.hidden_size())
    return differ("hidden size", a.hidden_size(), b.hidden_size());
  if (a.max_context() != b.max_context())
    return differ("context", a.max_context(), b.max_context());
  if (a.bos_token() != b.bos_token())
    return Status::error("the programs disagree about the begin token");
  auto ends = [](const program::Program &p) {
    return p.eos_tokens() ? std::vector<int32_t>(p.eos_tokens()->begin(), p.eos_tokens()->end()) : std::vector<int32_t>();
  };
  if (ends(a) != ends(b))
    return Status::error("the programs disagree about the end tokens");
  auto mixtures = [](const program::Program &p) {
    std::vector<std::pair<uint32_t, uint32_t>> list;
    if (p.moe_layers())
      for (const program::MoeLayer *layer : *p.moe_layers())
        list.push_back({layer->layer(), layer->num_experts()});
    return list;
  };
  if (mixtures(a) != mixtures(b))
    return Status::error("the programs disagree about the mixtures of experts");
  return Status::success();
}
