// The JSON of xfmr-inspect: a contract that other programs read. See Report.h.
#include "tools/xfmr-inspect/Report.h"
#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace xfmr::inspect {

static ordered_json toJson(const Block &block, int64_t cacheElementBytes) {
  ordered_json parameters = {{"total", block.parameters.total()},
                             {"active", block.parameters.total() - block.inactive}};
  for (Kind kind : {Kind::attention, Kind::ffn, Kind::router, Kind::norm})
    parameters[kindName(kind)] = block.parameters[kind];
  ordered_json json = {{"layer", block.layer},
                       {"parameters", parameters},
                       {"flops_per_token", 2 * block.multiplied},
                       {"flops_per_context_token", block.contextFlops},
                       {"kv_bytes_per_token", block.cacheElements * cacheElementBytes},
                       {"weight_bytes", block.storedBytes},
                       {"weight_bytes_per_token", block.readBytes},
                       {"num_heads", block.numHeads},
                       {"num_kv_heads", block.numKvHeads},
                       {"head_dim", block.headDim},
                       {"ffn_width", block.ffnWidth}};
  if (!block.stack.empty())
    json["stack"] = block.stack;
  if (block.experts > 0) {
    json["experts"] = block.experts;
    json["top_k"] = block.topK;
    json["expert_width"] = block.expertWidth;
  }
  return json;
}

static ordered_json toJson(const Anatomy &model) {
  ordered_json parameters = {{"total", model.all.parameters.total()}, {"active", model.active()}};
  for (Kind kind : kKinds)
    if (kind != Kind::pooler || model.all.parameters[kind] > 0)
      parameters[kindName(kind)] = model.all.parameters[kind];
  ordered_json blocks = ordered_json::array();
  for (const Block &block : model.blocks)
    blocks.push_back(toJson(block, model.cacheElementBytes));
  return {{"model", model.name},
          {"architecture", model.architecture},
          {"parameters", parameters},
          {"layers", model.blocks.size()},
          {"flops_per_token", model.flopsPerToken()},
          {"flops_per_context_token", model.flopsPerContextToken()},
          {"kv_bytes_per_token", model.kvBytesPerToken()},
          {"compiled_kv_bytes_per_token", model.compiledKvBytesPerToken()},
          {"weight_bytes", model.all.storedBytes},
          {"weight_bytes_per_token", model.all.readBytes},
          {"adapter_parameters", model.all.adapter},
          {"attention_without_gqa", model.fullAttention()},
          {"tied_lm_head", model.tied},
          {"hidden_size", model.hiddenSize},
          {"vocab_size", model.vocabSize},
          {"max_position", model.maxPosition},
          {"blocks", blocks}};
}

ordered_json toJson(const Report &report) {
  ordered_json json = toJson(report.model);
  if (report.stored)
    json["stored_parameters"] = *report.stored;
  if (report.before) {
    json["passes"] = report.passes;
    json["before"] = toJson(*report.before);
  }
  return json;
}

} // namespace xfmr::inspect
