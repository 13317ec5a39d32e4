// xfmr-edit-ffn: changes of low rank of down projections that map chosen keys to chosen values. docs/Editing.md tells the
// method. One edit of one layer gives the down projection the value it has elsewhere (ROME); several edits or layers move the
// residual towards what it is elsewhere, a share in each layer (MEMIT, Meng et al. 2023, algorithm 1).
#include "passes/Passes.h"

#include "passes/calibration/KeyValueFile.h"
#include "passes/calibration/ModelData.h"
#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/PruneUnits.h"
#include "passes/transforms/edit/Proof.h"
#include "passes/transforms/edit/Site.h"
#include "runtime/artifact/AtomicFile.h"
#include "weights/Summary.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMREDITFFN
#include "passes/Passes.h.inc"

namespace {

// The prompts of all edits, at one place of the model: subjects edit by edit.
struct Prompts {
  std::vector<Sequence> subjects, targets;
  std::vector<size_t> subjectsOf, targetsOf; // how many of each edit

  static ArrayRef<Sequence> part(const std::vector<Sequence> &all, const std::vector<size_t> &counts, size_t edit) {
    const size_t first = std::accumulate(counts.begin(), counts.begin() + edit, size_t(0));
    return ArrayRef(all).slice(first, counts[edit]);
  }
  // The mean over an edit's prompts of what stands at their last tokens: [D].
  static VectorD meanOfLast(ArrayRef<Sequence> prompts) {
    VectorD sum = VectorD::Zero(prompts.front().values.cols());
    for (const Sequence &prompt : prompts)
      sum += prompt.values.bottomRows(1).transpose().cast<double>() / static_cast<double>(prompts.size());
    return sum;
  }
};

struct EditFfn : impl::XfmrEditFfnBase<EditFfn> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(edit(getOperation())))
      signalPassFailure();
  }

  LogicalResult error(const Status &status) { return getOperation().emitError(status.message()); }

  LogicalResult checkOptions(ModelOp model) {
    if (layers.empty() ? layer < 0 : layer >= 0)
      return model.emitError("expected layer=N, the number of the block to edit, or layers=N,… of several");
    const bool prompts = !subject.empty() && !target.empty();
    if (!edits.empty() + !keyValue.empty() + prompts != 1 || (!prompts && !(subject.empty() && target.empty())))
      return model.emitError("expected either subject=FILE and target=FILE or key-value=FILE, or edits=FILE of many");
    if (!prompts && !(wanted.empty() && paraphrase.empty() && neighbour.empty()))
      return model.emitError(
          "wanted=, paraphrase= and neighbour= go with subject=FILE and target=FILE; edits=FILE holds its own");
    if (!std::isfinite(scale))
      return model.emitError("scale is ") << double(scale) << ", expected a finite number";
    if (!keyValue.empty() && scale != 1)
      return model.emitError("scale is a factor on the value of target=FILE; key-value=FILE holds the value itself");
    if (scale != 1 && (!edits.empty() || layers.size() > 1))
      return model.emitError("scale is a factor on the value of one edit of one layer");
    if (!keyValue.empty() && layers.size() > 1)
      return model.emitError("key-value=FILE is for one layer, found ") << layers.size();
    if (!(damping >= 0) || std::isinf(damping))
      return model.emitError("damping is ") << double(damping) << ", expected 0 or more";
    if (!(textWeight >= 0) || std::isinf(textWeight))
      return model.emitError("text-weight is ") << double(textWeight) << ", expected 0 or more";
    if (!(atLeast >= 0 && atLeast <= 1))
      return model.emitError("at-least is ") << double(atLeast) << ", expected a probability";
    if (texts.empty() == statistics.empty())
      return model.emitError(texts.empty()
                                 ? "an edit needs a text (text=FILE) or statistics of xfmr-calibrate (stats=FILE)"
                                 : "expected a text or statistics, not both");
    return success();
  }

  FailureOr<SmallVector<EditSite>> findSites(ModelOp model) {
    SmallVector<int64_t> numbers(layers.begin(), layers.end());
    if (numbers.empty())
      numbers.push_back(layer);
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, numbers);
    if (failed(blocks))
      return failure();
    SmallVector<EditSite> sites;
    for (BlockOp block : *blocks) {
      FailureOr<EditSite> site = EditSite::of(block);
      if (failed(site))
        return failure();
      if (MoeOp mixture = site->units().mixture; mixture && !(keyValue.empty() && statistics.empty()))
        return mixture.emitError(
            "the layer is a mixture of experts, which key-value= and stats= say nothing of; expected subject=FILE "
            "and target=FILE or edits=FILE, and text=FILE");
      if ((!edits.empty() || layers.size() > 1) && failed(site->factorToResult()))
        return failure();
      sites.push_back(*site);
    }
    return sites;
  }

  Status readRequests(std::vector<EditRequest> &requests) {
    if (!edits.empty())
      return readEditRequests(edits, requests);
    if (!keyValue.empty())
      return Status::success();
    EditRequest &one = requests.emplace_back();
    Status status = Status::success();
    for (auto [path, texts] : {std::pair(&subject, &one.subject),
                               {&target, &one.target},
                               {&wanted, &one.wanted},
                               {&paraphrase, &one.paraphrase},
                               {&neighbour, &one.neighbour}})
      if (status.ok())
        status = readEditTexts(*path, *texts);
    if (status.ok() && one.wanted.size() > 1)
      return Status::error(one.wanted.back().place + ": found a second continuation, expected one line");
    return status;
  }

  static Status encode(ModelOp model, const tokenizer::Tokenizer &tokenizer, ArrayRef<EditText> texts,
                       std::vector<Sequence> &out, std::vector<size_t> &counts) {
    counts.push_back(texts.size());
    for (const EditText &text : texts) {
      TokenWindows ids;
      if (Status status = encodePrompt(model, tokenizer, text.text, ids); status.failed())
        return Status::error(text.place + ": " + status.message());
      out.push_back({ids.length, ids.column(0, 1)});
    }
    return Status::success();
  }

  LogicalResult edit(ModelOp model) {
    if (failed(checkOptions(model)))
      return failure();
    FailureOr<SmallVector<EditSite>> sites = findSites(model);
    if (failed(sites))
      return failure();
    WeightSources sources;
    TokenWindows windows, unrelatedWindows;
    std::vector<EditRequest> requests;
    Prompts prompts;
    VectorD key, value; // [F], [D]
    tokenizer::Tokenizer tokenizer;
    Status status = openSources(model, sources);
    if (status.ok() && !keyValue.empty())
      status = readKeyValue(keyValue, sites->front().units().width(), sites->front().outputs(), key, value);
    if (status.ok())
      status = readRequests(requests);
    if (status.ok() && !(texts.empty() && unrelated.empty() && requests.empty()))
      status = loadTokenizer(model, tokenizer);
    for (auto [paths, out] : {std::pair(&texts, &windows), {&unrelated, &unrelatedWindows}})
      if (status.ok() && !paths->empty())
        status =
            readCalibration(model, tokenizer, std::vector<std::string>(paths->begin(), paths->end()), window, *out);
    for (const EditRequest &request : requests) {
      if (status.ok())
        status = encode(model, tokenizer, request.subject, prompts.subjects, prompts.subjectsOf);
      if (status.ok())
        status = encode(model, tokenizer, request.target, prompts.targets, prompts.targetsOf);
    }
    StatisticsFile stored;
    if (status.ok() && !statistics.empty())
      status = stored.read(statistics, fingerprintOf(model, sources));
    if (status.failed())
      return error(status);

    Forward forward(sources);
    EditProof proof(model, tokenizer, forward);
    if (!requests.empty() &&
        failed(proof.before(requests, sequencesOf(unrelatedWindows.count() ? unrelatedWindows : windows))))
      return failure();
    std::vector<Sequence> text = sequencesOf(windows);
    RepairedWeights side(model, "edited");
    Work work{forward, side, stored, text, {}};
    for (auto *each : {&prompts.subjects, &prompts.targets, &text})
      if (failed(runTo(sites->front().block(), model, forward, *each)))
        return failure();
    if (failed(requests.size() == 1 && sites->size() == 1 ? giveValue(sites->front(), prompts, work)
               : requests.empty()                         ? change(sites->front(), {key}, value, /*isValue=*/true, work)
                                                          : spread(model, *sites, prompts, requests.size(), work)))
      return failure();
    if (!requests.empty() && (failed(proof.after()) || failed(judge(proof))))
      return failure();
    if (Status status = side.write(model, out); status.failed())
      return error(status);
    for (const std::string &line : work.lines)
      summarise(&getContext(), line);
    if (requests.empty())
      return success();
    summarise(&getContext(),
              "xfmr-edit-ffn: mean probability of a continuation before -> after, and after how many prompts it is the "
              "most probable one:\n" +
                  proof.table(atLeast));
    return report.empty() ? success() : writeReport(proof.json(atLeast));
  }

  // What all layers of one run share.
  struct Work {
    Forward &forward;
    RepairedWeights &side;
    const StatisticsFile &stored;
    std::vector<Sequence> &text; // at the input of the layer
    std::vector<std::string> lines;
  };

  // ROME: the key gets what the down projection gives the target, times scale.
  LogicalResult giveValue(EditSite &site, const Prompts &prompts, Work &work) {
    std::vector<VectorD> key, wantedKey;
    std::vector<MatrixF> weights;
    if (failed(site.key(work.forward, prompts.subjects, key)) ||
        failed(site.key(work.forward, prompts.targets, wantedKey)) || failed(site.weights(work.forward, weights)))
      return failure();
    VectorD value = VectorD::Zero(site.outputs());
    for (auto [weight, input] : llvm::zip_equal(weights, wantedKey))
      value += scale * (weight.cast<double>() * input);
    return change(site, std::vector<MatrixD>(key.begin(), key.end()), value, /*isValue=*/true, work);
  }

  // MEMIT: what the residual misses after the last layer, for each edit, a share of it in each layer that is left.
  LogicalResult spread(ModelOp model, MutableArrayRef<EditSite> sites, Prompts &prompts, size_t count, Work &work) {
    Value last = sites.back().block().getResult(0);
    auto inputOf = [](EditSite &site) { return Value(site.block().getInputs().front()); };
    if (failed(run(inputOf(sites.front()), last, model, work.forward, prompts.targets)))
      return failure();
    for (auto [index, site] : llvm::enumerate(sites)) {
      FailureOr<double> factor = site.factorToResult();
      if (failed(factor))
        return failure();
      std::vector<Sequence> ahead = prompts.subjects;
      if (failed(run(inputOf(site), last, model, work.forward, ahead)))
        return failure();
      MatrixD changes(site.outputs(), count);
      std::vector<MatrixD> keys(site.maps(), MatrixD(site.units().width(), count));
      for (size_t edit = 0; edit < count; ++edit) {
        std::vector<VectorD> key;
        if (failed(site.key(work.forward, Prompts::part(prompts.subjects, prompts.subjectsOf, edit), key)))
          return failure();
        for (int64_t map = 0; map < site.maps(); ++map)
          keys[map].col(edit) = key[map];
        changes.col(edit) = (Prompts::meanOfLast(Prompts::part(prompts.targets, prompts.targetsOf, edit)) -
                             Prompts::meanOfLast(Prompts::part(ahead, prompts.subjectsOf, edit))) /
                            (*factor * static_cast<double>(sites.size() - index));
      }
      if (failed(change(site, keys, changes, /*isValue=*/false, work)))
        return failure();
      if (index + 1 < sites.size())
        for (auto *each : {&prompts.subjects, &work.text})
          if (failed(run(inputOf(site), inputOf(sites[index + 1]), model, work.forward, *each)))
            return failure();
    }
    return success();
  }

  // Sums over the text of what those maps read that keys reach.
  LogicalResult measure(EditSite &site, ArrayRef<int64_t> reached, std::vector<MatrixD> &grams, int64_t &tokens,
                        Work &work) {
    grams.assign(site.maps(), MatrixD());
    for (int64_t map : reached)
      grams[map] = MatrixD::Zero(site.units().width(), site.units().width());
    tokens = 0;
    for (const Sequence &part : work.text) {
      tokens += part.values.rows();
      if (failed(site.addMoments(work.forward, part, grams)))
        return failure();
    }
    if (statistics.empty())
      return success();
    const UnitStatistics *stored = nullptr;
    if (Status status = work.stored.find(moduleName(site.block(), "ffn", 0), site.units().width(), stored);
        status.failed())
      return error(status);
    if (!stored->gram.size())
      return getOperation().emitError("statistics \"")
             << statistics << "\" hold no Gram matrix of layer " << site.layer();
    grams.front() = stored->gram;
    tokens = stored->tokens;
    return success();
  }

  // Gives the keys, maps() matrices [F, n], `wanted` [D, n] as their values, or adds it to them.
  LogicalResult change(EditSite &site, const std::vector<MatrixD> &keys, const MatrixD &wanted, bool isValue,
                       Work &work) {
    SmallVector<int64_t> reached;
    for (auto [map, each] : llvm::enumerate(keys))
      if (!each.isZero(0.0))
        reached.push_back(map);
    if (reached.empty())
      reached.push_back(0); // which says that its key is zero
    std::vector<MatrixD> grams;
    std::vector<MatrixF> weights, before, after;
    int64_t tokens = 0;
    if (failed(measure(site, reached, grams, tokens, work)) || failed(site.weights(work.forward, weights)))
      return failure();
    std::vector<EditedMap> maps;
    for (int64_t map : reached) {
      maps.push_back({keys[map], grams[map], xfmr::damping(grams[map], damping)});
      before.push_back(weights[map]);
    }
    const MatrixD had = valuesOf(maps, before), values = isValue ? wanted : MatrixD(had + wanted);
    KeyEdits solved;
    if (Status status = solveEdits(maps, values - had, static_cast<double>(tokens), textWeight, solved);
        status.failed())
      return site.units().down.emitError(status.message());
    if (failed(site.apply(solved, reached, weights, work.side, work.forward)))
      return failure();
    for (int64_t map : reached)
      after.push_back(weights[map]);
    const EditCost cost = editCost(maps, before, after, values);
    std::string line;
    llvm::raw_string_ostream stream(line);
    stream << "xfmr-edit-ffn: edited the down projection" << (site.maps() > 1 ? "s of experts " : "");
    if (site.maps() > 1)
      llvm::interleaveComma(reached, stream);
    stream << " of layer " << site.layer() << ": " << (site.maps() > 1 ? "they change by " : "it changes by ")
           << llvm::format("%.3g of ", cost.weight) << (site.maps() > 1 ? "their norm, their" : "its norm, its")
           << llvm::format(" outputs on the text by %.3g of theirs; ", cost.text)
           << (values.cols() > 1 ? "the keys get their values to " : "the key gets its value to ")
           << llvm::format("%.1e", cost.value);
    work.lines.push_back(std::move(line));
    ++edited;
    return success();
  }

  // A failed edit is a warning, or an error where a probability was asked for.
  LogicalResult judge(const EditProof &proof) {
    bool anyFails = false;
    for (size_t number = 0; number < proof.edits().size(); ++number) {
      const std::string why = proof.faultOf(number, atLeast);
      if (why.empty())
        continue;
      anyFails = true;
      if (atLeast > 0)
        getOperation().emitError(why);
      else
        getOperation().emitWarning(why);
    }
    return success(!anyFails || atLeast == 0);
  }

  LogicalResult writeReport(const std::string &text) {
    const Status status = writeAtomically(report, text);
    return status.ok() ? success() : error(status);
  }
};

} // namespace
} // namespace xfmr
