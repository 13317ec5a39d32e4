// Finding a template and running it on messages; see ChatTemplate.h.
#include "runtime/chat/ChatTemplate.h"
#include "runtime/chat/Evaluator.h"
#include "runtime/chat/Parser.h"
#include <nlohmann/json.hpp>

namespace xfmr::chat {

using nlohmann::json;

/// The text of a token in tokenizer_config.json: a string, or an object with its content.
static std::string tokenText(const json &config, const char *key) {
  if (!config.is_object() || !config.contains(key))
    return "";
  const json &token = config[key];
  const json &text = token.is_object() && token.contains("content") ? token["content"] : token;
  return text.is_string() ? text.get<std::string>() : "";
}

static std::string templateOf(const json &config) {
  if (!config.is_object() || !config.contains("chat_template"))
    return "";
  const json &given = config["chat_template"];
  if (given.is_string())
    return given.get<std::string>();
  std::string first;
  if (given.is_array())
    for (const json &named : given)
      if (named.is_object() && named.contains("template") && named["template"].is_string()) {
        if (named.value("name", json()) == "default")
          return named["template"].get<std::string>();
        if (first.empty())
          first = named["template"].get<std::string>();
      }
  return first;
}

bool ChatTemplate::load(std::string_view tokenizerConfigJson, std::string_view templateText, ChatTemplate &out,
                        std::string &error) {
  const json config = json::parse(tokenizerConfigJson, nullptr, /*allow_exceptions=*/false);
  const std::string source = templateText.empty() ? templateOf(config) : std::string(templateText);
  if (source.empty()) {
    error = "the model has no chat template";
    return false;
  }
  if (source.size() > kMaxTemplateBytes) {
    error = "the chat template has " + std::to_string(source.size()) + " bytes, at most " +
            std::to_string(kMaxTemplateBytes) + " are read";
    return false;
  }
  ChatTemplate made;
  if (!parseTemplate(source, made.body, error)) {
    error = "chat template, " + error;
    return false;
  }
  made.bos = tokenText(config, "bos_token");
  made.eos = tokenText(config, "eos_token");
  out = std::move(made);
  return true;
}

bool ChatTemplate::render(const std::vector<Message> &messages, bool continues, std::string &text, std::string &error) const {
  List list;
  for (const Message &message : messages)
    list.push_back(Value::of(Map{{"role", Value::of(message.role)}, {"content", Value::of(message.content)}}));
  const Map globals = {{"messages", Value::of(std::move(list))},
                       {"add_generation_prompt", Value::of(continues)},
                       {"bos_token", Value::of(bos)},
                       {"eos_token", Value::of(eos)},
                       {"tools", Value::none()},
                       {"documents", Value::none()}};
  std::string made;
  try {
    evaluate(body, globals, made);
  } catch (const TemplateError &failed) {
    error = std::string("chat template, ") + failed.what();
    return false;
  }
  text = std::move(made);
  return true;
}

} // namespace xfmr::chat
