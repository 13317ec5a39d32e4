// Chat templates against Jinja's own results (make_golden.py), what they may cost, and their errors.
#include "runtime/chat/ChatTemplate.h"
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace xfmr::chat {
namespace {

using nlohmann::json;

/// The text of a template over `messages`, or its error.
std::string render(const std::string &source, const std::vector<Message> &messages = {}, bool continues = false) {
  ChatTemplate chat;
  std::string text, error;
  const json config = {{"chat_template", source}, {"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}};
  if (!ChatTemplate::load(config.dump(), "", chat, error) || !chat.render(messages, continues, text, error))
    return "error: " + error;
  return text;
}

std::string repeated(const std::string &text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i)
    out += text;
  return out;
}

TEST(ChatTemplate, GivesWhatJinjaGives) {
  std::ifstream file(XFMR_CHAT_GOLDEN);
  const json cases = json::parse(file);
  ASSERT_GT(cases.size(), 90u);
  for (const json &each : cases) {
    std::vector<Message> messages;
    for (const json &message : each["messages"])
      messages.push_back({message["role"], message["content"]});
    const std::string got = render(each["template"], messages, each["continues"]);
    if (each.contains("text"))
      EXPECT_EQ(got, each["text"]) << each["name"];
    else
      EXPECT_EQ(got.substr(0, 7), "error: ") << each["name"];
  }
}

TEST(ChatTemplate, IsFoundWhereCheckpointsKeepIt) {
  ChatTemplate chat;
  std::string error, text;
  EXPECT_FALSE(ChatTemplate::load("{}", "", chat, error));
  EXPECT_EQ(error, "the model has no chat template");
  EXPECT_FALSE(ChatTemplate::load("no JSON", "", chat, error));
  ASSERT_TRUE(ChatTemplate::load(R"({"chat_template": [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}]})", "", chat, error));
  ASSERT_TRUE(chat.render({}, false, text, error));
  EXPECT_EQ(text, "d");
  ASSERT_TRUE(ChatTemplate::load(R"({"chat_template": "inside"})", "{{ 'beside' }}", chat, error));
  ASSERT_TRUE(chat.render({}, false, text, error));
  EXPECT_EQ(text, "beside");
}

TEST(ChatTemplate, DoesNotDoTooMuch) {
  const std::string kSteps = "error: chat template, line 1: the template does more than 4000000 steps",
                    kText = "error: chat template, line 1: the template makes more than 64 MiB of text";
  EXPECT_EQ(render("{% for i in range(100000) %}" + repeated("{% if 1 %}{% endif %}", 50) + "{% endfor %}"), kSteps);
  EXPECT_EQ(render("{% set x = range(999999999999) %}"), kText);
  EXPECT_EQ(render("{{ 'a' * 99999999999 }}"), kText);
  EXPECT_EQ(render("{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}"), kText);
  EXPECT_EQ(render("{% set s = 'a' * 1000000 %}{{ s|replace('a', s) }}"), kText);
  const std::string sharing = "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}";
  EXPECT_EQ(render(sharing + "{{ ns.a == ns.b }}"), kSteps);
  EXPECT_EQ(render(sharing + "{{ ns.a }}"), kSteps);
  EXPECT_EQ(render("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"),
            "error: chat template, line 1: calls and expressions nest deeper than 600");
  EXPECT_EQ(render("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}"),
            "error: chat template, line 1: a value nested deeper than 100 cannot be printed");
  EXPECT_EQ(render("{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}"),
            "error: chat template, line 1: lists and mappings nest deeper than 100");
  EXPECT_EQ(render("{% set ns = namespace(x=1) %}{% for i in range(20000) %}{% set ns.x = namespace(p=ns.x) %}{% endfor %}"), "");
  EXPECT_EQ(render("{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}"), "error: chat template, line 1: nested deeper than 100");
  EXPECT_EQ(render("{{ " + repeated("not ", 5000) + "1 }}"), "error: chat template, line 1: nested deeper than 100");
  EXPECT_EQ(render("{{ a" + repeated(".b", 5000) + " }}"), "error: chat template, line 1: an expression nested deeper than 100");
  EXPECT_EQ(render("{{ 1" + repeated(" + 1", 5000) + " }}"), "error: chat template, line 1: an expression nested deeper than 100");
  EXPECT_EQ(render(repeated("{% if 1 %}", 5000)), "error: chat template, line 1: nested deeper than 100");
  EXPECT_EQ(render(std::string(1 << 21, 'a')), "error: the chat template has 2097152 bytes, at most 1048576 are read");
}

TEST(ChatTemplate, SaysWhatIsWrong) {
  auto error = [](const std::string &source) { return render(source).substr(7); };
  EXPECT_EQ(error("a\n{% for x in y"), "chat template, line 2: '{%' is not closed by '%}'");
  EXPECT_EQ(error("{{ x"), "chat template, line 1: '{{' is not closed by '}}'");
  EXPECT_EQ(error("{# x"), "chat template, line 1: a comment is not closed by #}");
  EXPECT_EQ(error("{% raw %}x"), "chat template, line 1: {% raw %} is not closed by {% endraw %}");
  EXPECT_EQ(error("{{ 'x }}"), "chat template, line 1: a string is not closed");
  EXPECT_EQ(error("{{ a ? b }}"), "chat template, line 1: unexpected character '?'");
  EXPECT_EQ(error("{% if x %}"), "chat template, line 1: expected {% endif %}, found the end of the template");
  EXPECT_EQ(error("{% include 'x' %}"), "chat template, line 1: {% include %} is not supported; known are if, for, set, macro, break, continue and raw");
  EXPECT_EQ(error("{% for x y %}"), "chat template, line 1: expected 'in', found 'y'");
  EXPECT_EQ(error("{{ 1 2 }}"), "chat template, line 1: expected '}}', found '2'");
  EXPECT_EQ(error("{{ }}"), "chat template, line 1: expected an expression, found '}}'");
  EXPECT_EQ(error("{{ 99999999999999999999 }}"), "chat template, line 1: the number 99999999999999999999 is too large");
  EXPECT_EQ(error("{{ 9223372036854775807 * 9 }}"), "chat template, line 1: an integer leaves 64 bits");
  EXPECT_EQ(error("{{ 1 / 0 }}"), "chat template, line 1: division by zero");
  EXPECT_EQ(error("{{ x.y }}"), "chat template, line 1: 'x' is undefined, so it has no 'y'");
  EXPECT_EQ(error("{{ 'a' + x }}"), "chat template, line 1: '+' between a string and 'x', which is undefined,");
  EXPECT_EQ(error("{{ 'a' + 1 }}"), "chat template, line 1: '+' between a string and an integer");
  EXPECT_EQ(error("{{ [1, 'a']|sort }}"), "chat template, line 1: a string and an integer have no order");
  EXPECT_EQ(error("{{ 'a'|nothing }}"), "chat template, line 1: there is no filter 'nothing'");
  EXPECT_EQ(error("{{ 'a' is nothing }}"), "chat template, line 1: there is no test 'nothing'");
  EXPECT_EQ(error("{{ nothing() }}"), "chat template, line 1: 'nothing' cannot be called: it is an undefined value");
  EXPECT_EQ(error("{{ 'a'.nothing() }}"), "chat template, line 1: a string has no method 'nothing'");
  EXPECT_EQ(error("{{ messages.append(1) }}"), "chat template, line 1: a list has no method 'append'; those that change it are refused");
  EXPECT_EQ(error("{{ {'a': 1}.pop('a') }}"), "chat template, line 1: a mapping has no method 'pop'; those that change it are refused");
  EXPECT_EQ(error("{{ 1|length }}"), "chat template, line 1: an integer has no length");
  EXPECT_EQ(error("{% for x in 1 %}{% endfor %}"), "chat template, line 1: an integer has no elements");
  EXPECT_EQ(error("{% set x = 1 %}{% set x.y = 1 %}"), "chat template, line 1: cannot set 'x.y': 'x' is an integer, not a namespace");
  EXPECT_EQ(error("{% set a, b = [1] %}"), "chat template, line 1: cannot spread a list over 2 names");
  EXPECT_EQ(error("{{ {1: 2} }}"), "chat template, line 1: a key is an integer, expected a string");
  EXPECT_EQ(error("{{ 'abc'[::0] }}"), "chat template, line 1: a slice cannot step by 0");
  EXPECT_EQ(error("\n{{ raise_exception('no system') }}"), "chat template, line 2: the template says: no system");
  EXPECT_EQ(error("{{ {'a': 1}|tojson(indent=999) }}"), "chat template, line 1: an indent of 999, at most 64 are allowed");
  EXPECT_EQ(error("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}"), "chat template, line 1: 'm' takes at most 1 arguments");
}

TEST(ChatTemplate, AsksTheClock) {
  const std::string year = render("{{ strftime_now('%Y') }}");
  EXPECT_EQ(year.size(), 4u);
  EXPECT_EQ(render("{{ strftime_now is defined }}"), "False"); // as others that only take the date when they must
}

} // namespace
} // namespace xfmr::chat
