// One conversation with a model: a key/value cache, a position, and the recorded phases. Everything runs
// on the device; the host writes a few state words before a submission and reads ids or logits after it.
// A session serves one thread at a time; several sessions of a model may run on several threads.
#pragma once
#include "runtime/plan/State.h"
#include "runtime/vulkan/Recording.h"
#include <functional>

namespace xfmr::vulkan {

struct Sampling {
  float temperature = 0; // 0: greedy
  uint32_t topK = 0;     // 0: off
  float topP = 1;        // 1: off
  uint64_t seed = 0;
  bool ignoreEos = false;
};

/// Tokens of the largest submission of a generation.
constexpr uint32_t kMaxBatch = 16;

enum class Finish { length, endToken, context, stopped };

class Session {
public:
  /// Returns false to stop generating.
  using OnToken = std::function<bool(int32_t id)>;
  /// Logits of positions first … first + rows - 1: row r at logits + r * stride, vocab_size floats.
  using OnLogits = std::function<void(uint32_t first, uint32_t rows, const float *logits, size_t stride)>;

  static Status create(std::shared_ptr<const Model> model, std::unique_ptr<Session> &out);

  /// Tokens in the cache.
  uint32_t position() const { return position_; }
  /// Forgets everything: the next token has position 0.
  void reset();

  /// Whether these ids can be appended: all in the vocabulary, at least one, and room in the context.
  Status accepts(const std::vector<int32_t> &ids) const;
  /// Whether there is a last token with logits, to read or to continue from.
  bool hasLogits() const { return logits_ != Logits::none; }

  /// Appends tokens, in chunks of what the prefill phase takes, few ones by prefill_few. Fails without any effect when accepts() does.
  Status prefill(const std::vector<int32_t> &ids);
  /// The same, and hands over the logits of every position.
  Status prefillAllLogits(const std::vector<int32_t> &ids, const OnLogits &onLogits);
  /// Appends one token by the decode phase.
  Status decode(int32_t id);
  /// Logits after the last token [vocab_size]. Fails when no token was given since reset or generate.
  Status logits(std::vector<float> &out);

  /// Generates at most `count` ids after the last token and hands each to `onToken` as it appears; an end
  /// token is not handed over. The last id is not in the cache yet: go on with decode(id) or prefill.
  Status generate(uint32_t count, const Sampling &sampling, const OnToken &onToken, Finish &finish);

  /// Seconds of the last generate() that the host was busy; waiting for the device does not count.
  double hostSeconds() const { return hostSeconds_; }

  /// Label, kernel and device time of one dispatch.
  using OnDispatch =
      std::function<void(const std::string &label, const std::string &kernel, double seconds)>;
  /// Runs a phase once on `tokens` rows after the last token and times each dispatch by device timestamps.
  /// The tokens in the cache stay; the logits of the last one are lost.
  Status profile(std::string_view phase, uint32_t tokens, const OnDispatch &onDispatch);

  /// How often each expert of mixture `index` of the program was chosen, and the sum of its weights,
  /// [num_experts] each, over all tokens since the session was made.
  Status expertStats(uint32_t index, std::vector<uint32_t> &counts, std::vector<float> &weights);

  uint64_t memoryBytes() const { return recording_.memory().allocatedBytes(); }
  const Model &model() const { return *model_; }

private:
  explicit Session(std::shared_ptr<const Model> model);
  Status create();
  Status run(const std::vector<VkCommandBuffer> &commands);
  /// State words of a run of `count` tokens, part of a call that ends at `total` tokens in the cache.
  std::vector<uint32_t> runState(uint32_t count, uint32_t total) const;
  /// Records into update_[which]: state words from 0 on and, if given, ids into the tokens buffer.
  Status recordUpdate(uint32_t which, const std::vector<uint32_t> &words, const int32_t *ids = nullptr,
                      uint32_t count = 0);
  /// The recorded phase for a run of `tokens` tokens.
  VkCommandBuffer prefillOf(uint32_t tokens) const;
  /// Records into copy_[0] a copy of the first rows of logits to logitsBack_.
  Status recordLogitsCopy(uint32_t rows);
  std::vector<uint32_t> samplingState(uint32_t limit, const Sampling &sampling) const;

  struct Batch {
    uint32_t first, size, slot; // ids first … first + size - 1 of a generation
  };
  Status submitBatch(const Batch &batch, std::vector<VkCommandBuffer> commands);
  Status readBatch(const Batch &batch, std::vector<int32_t> &ids, bool &ended);

  std::shared_ptr<const Model> model_;
  Recording recording_;
  Commands commands_;
  VkCommandBuffer update_[2], copy_[2]; // recorded anew each time
  VkCommandBuffer prefill_, lastLogits_, allLogits_, decode_, sample_, decodeSample_;
  VkCommandBuffer prefillFew_ = VK_NULL_HANDLE; // if the program has it
  Buffer statsBack_;     // the stats buffer; made on first use
  Buffer logitsBack_;    // f32 [rows of a chunk, stride]; made on first use
  Buffer generatedBack_[2]; // state words, then ids of one batch

  double hostSeconds_ = 0;
  uint32_t position_ = 0;
  enum class Logits { none, lastRow, row0 } logits_ = Logits::none;
  uint32_t chunkStart_ = 0, chunkRows_ = 0; // last prefill chunk, when logits_ is lastRow
};

} // namespace xfmr::vulkan
