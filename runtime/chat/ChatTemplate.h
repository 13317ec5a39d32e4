// A conversation as the text that a checkpoint was trained to continue, by the template that comes with it (Jinja, as Hugging
// Face's apply_chat_template runs it). The whole public interface of this folder. Tools and documents are not passed on.
// What is supported and what differs: docs/Running.md.
#pragma once
#include "runtime/chat/Syntax.h"
#include <string>
#include <string_view>
#include <vector>

namespace xfmr::chat {

struct Message {
  std::string role, content; // "system", "user", "assistant"
};

class ChatTemplate {
public:
  /// Finds the template in tokenizer_config.json (`chat_template`: a text, or named ones of which "default" counts) unless
  /// `templateText`, the content of chat_template.jinja, is given. Fails, with the reason, where there is none.
  static bool load(std::string_view tokenizerConfigJson, std::string_view templateText, ChatTemplate &out, std::string &error);

  /// The text of `messages`; with `continues` the beginning of the assistant's answer too. Fails where the template says so or
  /// does too much (Limits.h).
  bool render(const std::vector<Message> &messages, bool continues, std::string &text, std::string &error) const;

private:
  Body body;
  std::string bos, eos;
};

} // namespace xfmr::chat
