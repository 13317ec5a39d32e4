// One conversation with a model, on any engine: tokens, chunks, choice of phase, generation and statistics. Everything
// that is computed runs on the engine; here a few state words are written before a submission, and ids or logits read
// after it. A session serves one thread at a time; several sessions of an engine may run on several threads.
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/engine/Engine.h"
#include "runtime/plan/State.h"
#include "runtime/plan/Work.h"

namespace xfmr::session {

struct Sampling {
  float temperature = 0; // 0: greedy
  uint32_t topK = 0;     // 0: off
  float topP = 1;        // 1: off
  uint64_t seed = 0;
  bool ignoreEos = false;
  float minP = 0;              // 0: off
  float repetitionPenalty = 1; // of ids of the prompt and of what was generated; 1: off

  /// Asks for what older artifacts cannot do.
  bool extends() const { return minP > 0 || repetitionPenalty != 1; }
};

/// A dispatch that ran: where it belongs and what it had to do.
struct Dispatched {
  const program::Program &program;
  const program::Phase &phase;
  const program::Dispatch &dispatch;
  uint32_t position, rows; // rows at positions position …
  plan::Amount amount;
  const engine::Ran &ran;
};

enum class Finish { length, endToken, context, stopped };

class Session {
public:
  /// Returns false to stop generating.
  using OnToken = std::function<bool(int32_t id)>;
  /// Logits of positions first … first + rows - 1: row r at logits + r * stride, vocab_size floats. Of an encoder hidden states,
  /// hidden_size floats.
  using OnLogits = std::function<void(uint32_t first, uint32_t rows, const float *logits, size_t stride)>;

  /// Rows of a value that is looked at, by its index in probes(): row r at values + r * stride.
  using OnProbe = std::function<void(size_t probe, uint32_t first, uint32_t rows, const float *values, size_t stride)>;

  static Status create(std::shared_ptr<const engine::Engine> engine, std::unique_ptr<Session> &out);

  /// Tokens in the cache.
  uint32_t position() const { return position_; }
  /// Tokens of the source, 0 before there is one.
  uint32_t source() const { return source_; }
  /// Forgets everything: the next token has position 0.
  void reset();

  /// Whether these ids can be appended: all in the vocabulary, at least one, and room in the context.
  Status accepts(const std::vector<int32_t> &ids) const;
  /// The same of a source, which does not stand behind what the session holds.
  Status acceptsSource(const std::vector<int32_t> &ids) const;
  /// An encoder reads whole texts, one run each, and gives hidden states: it can do nothing but prefillAllLogits.
  bool isEncoder() const { return artifact::isEncoder(program()); }
  /// Whether there is a last token with logits, to read or to continue from.
  bool hasLogits() const { return logits_ != Logits::none; }

  // When the engine fails, the message says whether the session can go on. Then its cache holds the first position()
  // tokens, those of chunks that were done included, and there are no logits.

  /// An encoder with a decoder reads a source before anything else.
  bool readsSource() const { return artifact::readsSource(program()); }
  /// Reads the source, all at once, and forgets what there was. Fails without any effect when the ids do not fit.
  Status encode(const std::vector<int32_t> &ids);

  /// Appends tokens, in chunks of what the prefill phase takes. Fails without any effect when accepts() does.
  Status prefill(const std::vector<int32_t> &ids);
  /// The same, and hands over the logits of every position. An encoder forgets what was there before.
  Status prefillAllLogits(const std::vector<int32_t> &ids, const OnLogits &onLogits) {
    return prefillProbes(ids, {}, onLogits);
  }
  /// The same, and what its probes keep of every position; `onLogits` may be empty.
  Status prefillProbes(const std::vector<int32_t> &ids, const OnProbe &onProbe, const OnLogits &onLogits);
  /// Appends one token by the decode phase.
  Status decode(int32_t id);
  /// Logits after the last token [vocab_size]. Fails when no token was given since reset or generate.
  Status logits(std::vector<float> &out);

  /// Generates at most `count` ids after the last token and hands each to `onToken` as it appears; an end
  /// token is not handed over. The last id is not in the cache yet: go on with decode(id) or prefill.
  Status generate(uint32_t count, const Sampling &sampling, const OnToken &onToken, Finish &finish);
  /// Whether the program samples with min-p and repetition penalties; older ones do not.
  bool penalises() const;

  /// Seconds of the last generate() that passed outside the engine.
  double hostSeconds() const { return hostSeconds_; }

  /// Called for every dispatch that ran; it must not call into the session.
  using OnDispatched = std::function<void(const Dispatched &)>;
  /// From now on whatever the session runs is told to `onDispatched`, one submission at a time; an empty function ends that.
  /// Fails where the device cannot tell the time.
  Status watch(OnDispatched onDispatched);
  /// Runs a phase once on `tokens` rows after the last token and tells of its dispatches, whether somebody watches or not.
  /// The tokens in the cache stay; the logits of the last one are lost.
  Status profile(std::string_view phase, uint32_t tokens, const OnDispatched &onDispatched);

  /// How often each expert of mixture `index` of the program was chosen, and the sum of its weights,
  /// [num_experts] each, over all tokens since the session was made.
  Status expertStats(uint32_t index, std::vector<uint32_t> &counts, std::vector<float> &weights);

  uint64_t memoryBytes() const { return memory_->bytes(); }
  const engine::Engine &engine() const { return *engine_; }
  const program::Program &program() const { return engine_->program(); }

private:
  explicit Session(std::shared_ptr<const engine::Engine> engine) : engine_(std::move(engine)) {}

  /// State words of a run of `count` tokens, part of a call that ends at `total` tokens in the cache.
  std::vector<uint32_t> runState(uint32_t count, uint32_t total) const;
  std::vector<uint32_t> samplingState(uint32_t limit, const Sampling &sampling) const;
  /// A step that writes state words from 0 on and, if given, ids, and then runs `phase`. The words and ids must live
  /// until it is submitted.
  engine::Step step(const char *phase, const std::vector<uint32_t> &words, const int32_t *ids = nullptr,
                    uint32_t count = 0) const;
  /// The step that makes the logits of the last row of the last prefill chunk, from `words`.
  engine::Step lastLogits(std::vector<uint32_t> &words) const;
  engine::Range range(program::BufferKind kind, uint64_t offset, uint64_t bytes) const;
  uint32_t phaseIndex(std::string_view name) const;
  /// Fails for an encoder, and where a source is to be read first.
  Status canContinue() const;
  /// Whether these ids fit behind `before` others.
  Status fits(const std::vector<int32_t> &ids, uint32_t before) const;

  /// Every submission goes through here; notes what runs, if somebody watches.
  Status submit(uint32_t slot, const std::vector<engine::Step> &steps, const std::vector<engine::Range> &reads);
  void expect(const std::vector<engine::Step> &steps);
  void ran(const engine::Ran &ran) const;
  /// How to feed the engine: one token after the other when somebody watches.
  engine::Pace pace() const { return onDispatched_ ? engine::Pace{1, 0} : engine_->pace(); }
  /// Submits to slot 0 and waits. A failure says whether the session can go on.
  Status run(const std::vector<engine::Step> &steps, const std::vector<engine::Range> &reads = {});
  /// The engine failed: there are no logits any more.
  Status engineFailed(const Status &status);
  /// After a chunk of `count` tokens was run.
  void advance(const int32_t *ids, uint32_t count);
  /// `id` counts for repetition penalties from now on.
  void note(int32_t id) { seen_[id / 32] |= 1u << (id % 32); }

  struct Batch {
    uint32_t first, size, slot; // ids first … first + size - 1 of a generation
  };
  Status submitBatch(const Batch &batch, const std::vector<engine::Step> &steps);
  Status readBatch(const Batch &batch, std::vector<int32_t> &ids, bool &ended);

  std::shared_ptr<const engine::Engine> engine_;
  std::unique_ptr<engine::Memory> memory_;
  double hostSeconds_ = 0;
  uint32_t position_ = 0, source_ = 0;
  std::vector<uint32_t> seen_; // a bit an id: those of the conversation
  enum class Logits { none, lastRow, row0 } logits_ = Logits::none;
  uint32_t chunkStart_ = 0, chunkRows_ = 0; // last prefill chunk, when logits_ is lastRow

  // When somebody watches (Watch.cpp): what the runs of the submission work on, and the engine's state behind them.
  OnDispatched onDispatched_;
  struct Run {
    uint32_t position, rows;
  };
  std::vector<Run> runs_;
  uint32_t statePosition_ = 0, stateCount_ = 0;
};

} // namespace xfmr::session
