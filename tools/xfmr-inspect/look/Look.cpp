// See Look.h: the order of the work. First the residual stream of the whole text, then the head on it, then block by block what
// is told of each.
#include "tools/xfmr-inspect/look/Look.h"

#include "dialect/Structure.h"
#include "tools/xfmr-inspect/look/Layers.h"
#include "tools/xfmr-inspect/look/Lens.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"

using namespace mlir;

namespace xfmr::inspect {

std::string readViews(ArrayRef<std::string> names, LookViews &out) {
  const std::pair<const char *, bool LookViews::*> known[] = {{"lens", &LookViews::lens},
                                                              {"attribution", &LookViews::attribution},
                                                              {"attention", &LookViews::attention},
                                                              {"ffn", &LookViews::ffn},
                                                              {"router", &LookViews::router}};
  for (auto [name, view] : known)
    out.*view = names.empty() || llvm::is_contained(names, name);
  for (const std::string &name : names)
    if (llvm::none_of(known, [&](auto &entry) { return name == entry.first; }))
      return "--views names \"" + name + "\", expected lens, attribution, attention, ffn or router";
  return "";
}

static Status finite(const Look &look) {
  for (int64_t row = 0; row < look.text.rows(); ++row)
    if (!(look.encoder ? look.residual.back().row(row).allFinite() : std::isfinite(look.entropy.at(row))))
      return Status::error(std::string("the ") + (look.encoder ? "hidden states" : "logits") + " are not finite at row " +
                           std::to_string(row) + " of the text");
  return Status::success();
}

Status readLook(ModelOp model, const LookOptions &options, Look &out) {
  out = Look();
  WeightSources sources;
  TokenTexts texts;
  Status status = openSources(model, sources);
  if (status.failed())
    return status;
  if (status = texts.open(model); status.failed() && !options.text.promptIds.empty())
    status = Status::success(); // ids need no texts
  if (status.ok())
    status = readLookText(model, texts, options.text, out.text);
  if (status.failed())
    return status;
  out.model = model.getSymName().str();
  out.encoder = isEncoder(model);
  out.hidden = model.getConfig().getHiddenSize();
  out.vocabulary = model.getConfig().getVocabSize();
  for (int32_t id : out.text.ids)
    out.tokens.push_back(texts.of(id));

  CollectedErrors errors(model.getContext());
  const std::string why = "the model cannot be run on the text";
  Forward forward(sources);
  Output output;
  if (status = output.open(model, forward); status.failed())
    return status;
  const std::vector<LookBatch> batches = batchesOf(out.text);
  if (failed(runStreams(model, out.text, batches, forward, out.residual)))
    return errors.status(why);
  out.layers = static_cast<int64_t>(out.residual.size()) - 1;
  out.how = output.how();
  if (!out.encoder && failed(readLens(output, out.residual, options, out)))
    return errors.status(why);
  if (status = finite(out); status.failed())
    return status;
  if (failed(readLayers(model, batches, out.residual, output, forward, options, out)))
    return errors.status(why);
  for (const Table *table : {&out.lensToken, &out.topIndex})
    for (float id : table->values)
      out.names.try_emplace(static_cast<int32_t>(id));
  for (int32_t id : out.chosen)
    out.names.try_emplace(id);
  for (int32_t id : out.text.ids)
    out.names.erase(id);
  for (auto &[id, name] : out.names)
    name = texts.of(id);
  return Status::success();
}

} // namespace xfmr::inspect
