// A chat template: pieces of templates put together, mostly wrongly, rendered over a conversation.
#include "runtime/chat/ChatTemplate.h"
#include "test/fuzz/Fuzz.h"
#include <iterator>

namespace xfmr::fuzz {

std::vector<std::string> seeds() {
  return {"{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m.content | trim }}\n{% endfor %}"
          "{% if add_generation_prompt %}<|assistant|>{% endif %}",
          "{% set ns = namespace(n=0) %}{% for m in messages[1:] %}{% set ns.n = ns.n + loop.index0 %}{% endfor %}{{ "
          "ns.n ~ 'x' * 3 }}",
          "{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f('q', b=[1, {'k': none}]) }}{{ range(3) | list | "
          "join(', ') }}"};
}

std::string mutated(std::string data, Random &random) {
  static constexpr const char *pieces[] = {"{{",
                                           "}}",
                                           "{%",
                                           "%}",
                                           "{#",
                                           "#}",
                                           "-",
                                           "for m in messages",
                                           "endfor",
                                           "if",
                                           "elif",
                                           "else",
                                           "endif",
                                           "set x =",
                                           "macro f(a)",
                                           "endmacro",
                                           "f(f)",
                                           "range(1000000000)",
                                           "messages",
                                           "[",
                                           "]",
                                           "(",
                                           ")",
                                           "(((((((((((((((((((((((((((((((((",
                                           "*",
                                           "**",
                                           "//",
                                           "%",
                                           "~ '",
                                           "'",
                                           "\"",
                                           "| join",
                                           "| tojson",
                                           "| replace('', 'xxxxxxxx')",
                                           "* 100000000",
                                           "[::-1]",
                                           "[-9223372036854775808:]",
                                           "is defined",
                                           "not",
                                           "and",
                                           "in",
                                           "loop.index",
                                           "namespace(",
                                           "x.x.x",
                                           "none",
                                           "9999999999999999999",
                                           "1e999",
                                           "\\u",
                                           "\xff"};
  if (random.oneIn(4))
    return mutatedBytes(std::move(data), random);
  const size_t at = random.below(data.size() + 1);
  if (random.oneIn(4))
    data.erase(at, random.below(24));
  return data.insert(std::min(at, data.size()), std::string(" ") + pieces[random.below(std::size(pieces))] + " ");
}

std::string readOnce(const std::string &data) {
  const std::string path = kPath;
  chat::ChatTemplate loaded;
  std::string error, text;
  if (data.empty())
    return path; // no template: the configuration's would count
  if (!chat::ChatTemplate::load("{}", data, loaded, error))
    return path + ": " + error; // callers put the path in front
  loaded.render({{"system", "s"}, {"user", "Hello \xf0\x9f\x99\x82"}, {"assistant", "a"}, {"user", "{{ b }}"}}, true,
                text, error);
  return {};
}

} // namespace xfmr::fuzz
