#!/usr/bin/env python3
"""Writes Inputs/golden.json: chat templates of the forms that checkpoints have, and what Jinja itself makes of them (with the
settings of Hugging Face's apply_chat_template). Needs python3-jinja2; the tests read the result and do not."""
import json
import os

from jinja2.sandbox import ImmutableSandboxedEnvironment


def raise_exception(message):
    raise ValueError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception

USER = [{"role": "user", "content": "Tell me a story."}]
SYSTEM = [{"role": "system", "content": "You are brief.\n"}] + USER
LONG = SYSTEM + [{"role": "assistant", "content": " Once upon a time. "}, {"role": "user", "content": "And \"then\"? <b>ü</b>"}]

# What families write, in their own style of white space.
FAMILIES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "llama32": """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "mistral": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] []" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported!") }}
    {%- endif %}
{%- endfor %}
""",
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    "phi3": "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    "zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "qwen25": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "qwen3": """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}""",
    "deepseek": "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
    "macros": """{%- macro turn(role, text, last=false) -%}
<{{ role|upper }}>{{ text }}{% if last %}!{% endif %}
{%- endmacro -%}
{% for m in messages %}
  {{ turn(m.role, m.content|trim|replace("\\n", " "), last=loop.last) }}
{% endfor %}""",
}

# One construct each.
PIECES = [
    "{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7.5 % 2 }} {{ 1.0 }}",
    "{{ 2 * 'ab' if false else 'ab' * 2 }} {{ 'a' ~ 1 ~ none ~ true ~ 1.5 }}",
    "{{ [1, 'a', none, true, {'k': 'v\\'s'}] }} {{ {'a': [1, 2]} }} {{ 'x' }} {{ (1, 2)|list }}",
    "{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ [1,2,3,4][-2:] }} {{ [1,2,3,4][::2] }} {{ [1,2,3][-1] }} {{ 'üöä'[1] }} {{ [1,2,3,4][3:0:-1] }}",
    "{{ not true or false and true }} {{ 1 < 2 < 3 }} {{ 1 < 2 > 5 }} {{ 'a' in 'cat' }} {{ 2 not in [1, 3] }} {{ not 1 == 2 }}",
    "{{ x is defined }} {{ x|default('d') }} {{ ''|default('e', true) }} {{ none is none }} {{ 1 is number }} {{ 'a' is string }} {{ [] is sequence }} {{ {} is mapping }} {{ 3 is odd }} {{ 6 is divisibleby 3 }} {{ 1 is in [1, 2] }} {{ 4 is not even }}",
    "{% for i in range(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %} {% for i in [] %}x{% else %}none{% endfor %} {% for a, b in {'x': 1, 'y': 2}.items() %}{{ a }}={{ b }};{% endfor %}",
    "{% for i in range(10) if i % 2 == 0 %}{% if i == 4 %}{% continue %}{% endif %}{% if i == 8 %}{% break %}{% endif %}{{ loop.index }}:{{ i }} {% endfor %}",
    "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}{% if true %}{% set x = 3 %}{% endif %}{{ x }}",
    "{% set ns = namespace(a=1) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}",
    "{% set t %}a\n  b{% endset %}[{{ t }}] {% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "a\n  {% if true %}\nb\n  {% endif %}\nc {{- ' d ' -}}  \n e {%+ if true %} f{% endif %}\n{# note #}\ng {#- x -#} h",
    "{% raw %}{{ not }} {% this %}{% endraw %}!",
    "{{ 'a,b,c'.split(',') }} {{ ' a b '.split() }} {{ 'a-b-c'.split('-', 1) }} {{ '  x '.strip() }}| {{ 'xxaxx'.strip('x') }} {{ 'Hello'.upper() }} {{ 'hello world'.title() }} {{ 'hELLO'.capitalize() }} {{ 'abc'.replace('b', 'x') }} {{ 'abc'.find('c') }} {{ 'a'.join(['1', '2']) }} {{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'c')) }}",
    "{{ [3, 1, 2]|sort }} {{ [1, 2]|join('-') }} {{ [1, 2, 1]|unique|list }} {{ [1, 2]|first }} {{ 'ab'|last }} {{ ['a', 'b']|map('upper')|join }} {{ [{'a': 1}, {'a': 2}]|map(attribute='a')|list }} {{ [1, none, 2]|select|list }} {{ [{'r': 1}, {'r': 2}]|rejectattr('r', 'equalto', 1)|list }} {{ '3'|int + 1 }} {{ 3.7|int }} {{ 'a\nb'|indent(2) }} {{ [1,2,3]|length }} {{ 'abc'|reverse }} {{ -3|abs }}",
    "{{ {'a': 'ü\"\\n', 'b': [1, 2.5, none, true], 'c': {}}|tojson }}\n{{ {'a': [1, {'b': 2}], 'e': []}|tojson(indent=2) }}",
    "{{ messages[0].content[:4] }}{{ messages|length }}{{ messages[-1]['role'] }}{{ messages[0].get('x', 'none') }}{{ messages[0].nothing is defined }}{{ messages[0].keys()|list }}",
    "{{ 'a' 'b' }} {{ \"tab\\tend\" }} {{ '\\\\' }}",
    "{% macro m(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 2) }} {{ m(b=3, a=4) }}",
    "{{ range(5, 0, -2)|list }} {{ dict(a=1)['a'] }} {{ 'yes' if messages else 'no' }} {{ none or 'x' }} {{ 0 and 1 }}",
    "{% if not messages %}a{% elif messages|length > 1 %}b{% else %}c{% endif %}{{ '%' }}{{ '}}' }}",
    "{{ loop is defined }}{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}<{{ m.role }}>{{ loop.nextitem.role if not loop.last }};{{ loop.revindex }}{% endfor %}",
]


def render(source, messages, continues):
    try:
        return {"text": environment.from_string(source).render(
            messages=messages, add_generation_prompt=continues, bos_token="<s>", eos_token="</s>", tools=None, documents=None)}
    except Exception as error:  # whatever Jinja raises, ours must fail too
        return {"error": type(error).__name__}


def main():
    cases = []
    for name, source in FAMILIES.items():
        for label, messages in (("user", USER), ("system", SYSTEM), ("long", LONG)):
            for continues in (True, False):
                cases.append({"name": f"{name}, {label}", "template": source, "messages": messages, "continues": continues,
                              **render(source, messages, continues)})
    for number, source in enumerate(PIECES):
        cases.append({"name": f"piece {number}", "template": source, "messages": LONG, "continues": True,
                      **render(source, LONG, True)})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs", "golden.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(cases, file, indent=1, ensure_ascii=False)
        file.write("\n")
    print(f"{len(cases)} cases, {sum('error' in case for case in cases)} of them errors")


if __name__ == "__main__":
    main()
