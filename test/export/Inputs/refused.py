"""Models that a format cannot say, each made from a small checkpoint by one replacement in its text (the first place): what
xfmr-export answers. refused.py FOLDER, where llama.mlir, mixtral.mlir and their checkpoints lie."""
import os
import subprocess
import sys

LINEAR_8 = ": (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>"
EXPERTS = " (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4x12x8xf32>, tensor<4x12x8xf32>, tensor<4x8x12xf32>)"
HEAD = "xfmr.linear %normed, %lm_head : (tensor<?x8xf32>, tensor<16x8xf32>)"
NO_PLACE = ("has a bias (of pruning with method=flap, for instance), which the family's checkpoints have no place for; fit weights "
            "instead, as method=fasp and method=obs do")

NORMED = "%normed_0 = xfmr.rms_norm %h, %input_layernorm eps 1.000000e-05 : tensor<?x8xf32>, tensor<8xf32>"
LAYER_NORMED = "xfmr.layer_norm {}, {} eps 1.0e-5 : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>"
BLOCK_1 = "(%x1) : (tensor<?x8xf32>) -> tensor<?x8xf32> {\n    ^bb0(%h: tensor<?x8xf32>):"
BLOCK_1_OF_TWO = ("(%x1, %x0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {\n"
                  "    ^bb0(%h: tensor<?x8xf32>, %first: tensor<?x8xf32>):")
GLU = """%gate_up = xfmr.weight_concat %gate_proj, %up_proj axis 0 : (tensor<12x8xf32>, tensor<12x8xf32>) -> tensor<24x8xf32>
 %gated = xfmr.glu silu %normed_1, %gate_up layout concat{} : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x12xf32>"""
W1_OUT = "%w1_out = xfmr.linear %t, %w1 : (tensor<?x8xf32>, tensor<12x8xf32>)"
ADD_MOE = "%h2 = xfmr.add %h1, %moe : tensor<?x8xf32>"
SHARED = """%sg = xfmr.weight "sg" : tensor<12x8xf32>
 %su = xfmr.weight "su" : tensor<12x8xf32>
 %sd = xfmr.weight "sd" : tensor<8x12xf32>
 %sw = xfmr.weight "sw" : tensor<1x8xf32>
 %sb = xfmr.weight "sb" : tensor<1xf32>
 %s1 = xfmr.linear {input}, %sg : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
 %s2 = xfmr.activation silu %s1 : tensor<?x12xf32>
 %s3 = xfmr.linear {input}, %su : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
 %s4 = xfmr.mul %s2, %s3 : tensor<?x12xf32>
 %s5 = xfmr.linear %s4, %sd : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
 %f1 = xfmr.linear %normed_1, %sw {bias} -> tensor<?x1xf32>
 %f2 = xfmr.activation {gate} %f1 : tensor<?x1xf32>
 %s6 = xfmr.row_scale %s5, {factor} : tensor<?x8xf32>, tensor<?x1xf32>
 %s7 = xfmr.add %moe, {shared} : tensor<?x8xf32>
 %h2 = xfmr.add %h1, %s7 : tensor<?x8xf32>"""


def shared(**parts):
    usual = {"input": "%normed_1", "bias": ": (tensor<?x8xf32>, tensor<1x8xf32>)", "gate": "sigmoid", "factor": "%f2", "shared": "%s6"}
    return SHARED.format(**{**usual, **parts})


# format, model, text, what replaces it, the error
CASES = [
    ("gguf", "llama", "(tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>\n    xfmr.yield %logits",
     "(tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>\n %capped = xfmr.softcap %logits cap 3.0e1 : tensor<?x16xf32>\n"
     " xfmr.yield %capped", "xfmr.yield: reads xfmr.softcap, where the family's reads xfmr.linear"),
    ("gguf", "llama", "%normed = xfmr.rms_norm %x2, %norm eps 1.000000e-05 : tensor<?x8xf32>, tensor<8xf32>",
     "%normed = " + LAYER_NORMED.format("%x2", "%norm"), "xfmr.linear: reads xfmr.layer_norm, where the family's reads xfmr.rms_norm"),
    ("gguf", "llama", BLOCK_1, BLOCK_1_OF_TWO, "xfmr.block: has 2 operands, where the family's has 1"),
    ("gguf", "llama", "%x1 = xfmr.block 0 (%x0)", "%xs = xfmr.scale %x0 by 2.0 : tensor<?x8xf32>\n %x1 = xfmr.block 0 (%xs)",
     "xfmr.block: reads xfmr.scale, where the family's reads xfmr.embedding"),
    ("gguf", "llama", "%h2 = xfmr.add", "%h2 = xfmr.mul", "block 0: xfmr.yield: reads xfmr.mul, where the family's reads xfmr.add"),
    ("gguf", "llama", NORMED, "%normed_0 = " + LAYER_NORMED.format("%h", "%input_layernorm"),
     "block 0: xfmr.linear: reads xfmr.layer_norm, where the family's reads xfmr.rms_norm"),
    ("gguf", "llama", "xfmr.attention %q_rope", "xfmr.attention %q", "block 0: xfmr.attention: reads xfmr.linear, where the family's reads xfmr.rope"),
    ("gguf", "llama", "%q_rope, %k_rope, %v", "%q_rope, %k, %v", "block 0: xfmr.attention: reads xfmr.linear, where the family's reads xfmr.rope"),
    ("gguf", "llama", "%gated = xfmr.mul %silu, %up : tensor<?x12xf32>", GLU.format(" alpha 1.702 limit 7.0"),
     "block 0: xfmr.glu: has alpha 1.702000e+00 : f64, for which the family's configuration has no place"),
    ("gguf", "llama", "theta 1.000000e+04", "theta 1.000000e+04 {scaling = #xfmr.divisor_rope<divisors = [1.0, 2.0], attention_factor = 1.5>}",
     "longrope frequencies with an attention factor cannot be written to GGUF for this architecture"),
    ("gguf", "mixtral", W1_OUT, "%t2 = xfmr.scale %t by 2.0 : tensor<?x8xf32>\n %w1_out = xfmr.linear %t2, %w1 : (tensor<?x8xf32>, tensor<12x8xf32>)",
     "block 0: xfmr.linear: reads xfmr.scale, where the family's reads the input"),
    ("gguf", "mixtral", ADD_MOE, shared(shared="%normed_1"), "block 0: xfmr.add: reads xfmr.add, where the family's reads xfmr.moe"),
    ("gguf", "llama", "%h2 = xfmr.add %h1, %down", "%sum = xfmr.add %down, %normed_1 : tensor<?x8xf32>\n %h2 = xfmr.add %h1, %sum",
     "block 0: xfmr.add: reads xfmr.add, where the family's reads xfmr.linear"),
    ("hf", "llama", "%v heads 2 kv_heads 1 head_dim 4 causal scale 5.000000e-01 : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>)",
     "%v sinks %sinks heads 2 kv_heads 1 head_dim 4 causal scale 5.000000e-01 : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<2xf32>)",
     "block 0: xfmr.attention: has 4 operands, where the family's has 3"),
    ("gguf", "llama", "%logits = " + HEAD,
     '%b = xfmr.weight "b" : tensor<16xf32>\n %logits = ' + HEAD.replace(" :", " bias %b :").replace("16x8xf32>)", "16x8xf32>, tensor<16xf32>)"),
     "xfmr.linear: " + NO_PLACE),
    ("gguf", "llama", "%normed_1 = xfmr.rms_norm %h1,", "%normed_1 = xfmr.rms_norm %o,",
     "block 0: xfmr.rms_norm: reads xfmr.linear, where the family's reads xfmr.add"),
    ("gguf", "llama", "%k = xfmr.linear %normed_0,", "%k = xfmr.linear %h,",
     "block 0: xfmr.linear: reads the input, where the family's reads xfmr.rms_norm"),
    ("gguf", "llama", "%up = xfmr.linear %normed_1,", "%up = xfmr.linear %h1,",
     "block 0: xfmr.linear: reads xfmr.add, where the family's reads xfmr.rms_norm"),
    ("gguf", "llama", "xfmr.mul %silu, %up", "xfmr.add %silu, %up",
     "block 0: has no feed-forward network of a kind that GGUF has keys for"),
    ("gguf", "llama", "xfmr.mul %silu, %up", "xfmr.mul %gate, %up",
     "block 0: has no feed-forward network of a kind that GGUF has keys for"),
    ("gguf", "llama", "%h1 = xfmr.add %h, %o", "%h1 = xfmr.add %normed_0, %o",
     "block 0: xfmr.add: reads xfmr.rms_norm, where the family's reads the input"),
    ("gguf", "llama", "causal scale 5.000000e-01", "causal scale 5.000000e-01 window 4",
     "block 0: xfmr.attention: has window 4 : i64, for which the family's configuration has no place"),
    ("gguf", "llama", "xfmr.embedding %tokens, %embed_tokens : (tensor<?xi32>, tensor<16x8xf32>)",
     'xfmr.embedding %tokens, %embed_tokens positions %embed_tokens : (tensor<?xi32>, tensor<16x8xf32>, tensor<16x8xf32>)',
     "xfmr.embedding: has 3 operands, where the family's has 2"),
    ("gguf", "mixtral", "router %gate experts", "router %gate bias %router_bias experts",
     "block 0: xfmr.moe: has a router with a bias where the family's has none, or the other way round"),
    ("hf", "llama", "%o = xfmr.linear %attn, %o_proj " + LINEAR_8,
     "%o_raw = xfmr.linear %attn, %o_proj " + LINEAR_8 + "\n %o = xfmr.scale %o_raw by 2.0 : tensor<?x8xf32>",
     "block 0: xfmr.add: reads xfmr.scale, where the family's reads xfmr.linear"),
    ("hf", "llama", "causal scale 5.000000e-01", "causal scale 5.000000e-01 window 4",
     "block 0: xfmr.attention: has window 4 : i64, for which the family's configuration has no place"),
    ("hf", "llama", "causal scale 5.000000e-01", "causal scale 2.500000e-01",
     "block 0: xfmr.attention: has scale 2.500000e-01 : f64, where the family's configuration gives 5.000000e-01 : f64"),
    ("hf", "mixtral", "router %gate experts", "router %gate bias %router_bias experts",
     "block 0: xfmr.moe: has a router with a bias where the family's has none, or the other way round"),
    ("hf", "llama", "%o = xfmr.linear %attn, %o_proj " + LINEAR_8,
     "%o_raw = xfmr.linear %attn, %o_proj " + LINEAR_8 + "\n %o = xfmr.add %o_raw, %normed_0 : tensor<?x8xf32>",
     "block 0: xfmr.add: reads xfmr.add, where the family's reads xfmr.linear"),
]



def with_router_bias(text):
    """A weight of its own, and its type."""
    text = text.replace("      %moe = xfmr.moe", '      %router_bias = xfmr.weight "b" : tensor<4xf32>\n      %moe = xfmr.moe', 1)
    return text.replace(EXPERTS, EXPERTS.replace("4x8xf32>,", "4x8xf32>, tensor<4xf32>,", 1), 1)


def second_block(text, change):
    """The model with its second block changed."""
    begin, end = text.index("%x2 = xfmr.block 1"), text.index('    %norm = xfmr.weight')
    return text[:begin] + change(text[begin:end]) + text[end:]


def replaced(text, *pairs):
    for old, new in pairs:
        if old not in text:
            sys.exit(f"the model does not hold {old}")
        text = text.replace(old, new)
    return text


def replaced_once(text, old, new):
    return text.replace(old, new, 1)


def without_blocks(text):
    begin, end = text.index("%x1 = xfmr.block 0"), text.index('    %norm = xfmr.weight')
    return text[:begin] + text[end:].replace("xfmr.rms_norm %x2", "xfmr.rms_norm %x0")


def narrow(block):
    return replaced(block, ("12xf32", "10xf32"), ("tensor<12x8", "tensor<10x8"))


def one_head(block):
    return replaced(block, ('q_proj.weight" : tensor<8x8xf32>', 'q_proj.weight" : tensor<4x8xf32>'),
                    ("%q_proj : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>", "%q_proj : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>"),
                    ("theta 1.000000e+04 : tensor<?x8xf32>", "theta 1.000000e+04 : tensor<?x4xf32>"), ("heads 2", "heads 1"),
                    (": (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>",
                     ": (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>"),
                    ('o_proj.weight" : tensor<8x8xf32>', 'o_proj.weight" : tensor<8x4xf32>'),
                    ("%o_proj : (tensor<?x8xf32>, tensor<8x8xf32>)", "%o_proj : (tensor<?x4xf32>, tensor<8x4xf32>)"))


def normed(block, value, width, user):
    """A norm over all columns between a projection and what reads it."""
    norm = (f'%ln = xfmr.weight "ln" : tensor<{width}xf32>\n %lned = xfmr.layer_norm {value}, %ln eps 1.0e-5 : '
            f"(tensor<?x{width}xf32>, tensor<{width}xf32>) -> tensor<?x{width}xf32>\n ")
    return replaced(block, (user, norm + "%lned".join(user.rsplit(value, 1))))


def wide_heads(block):
    return replaced(block, ("tensor<4x8xf32>", "tensor<8x8xf32>"), ("?x4xf32", "?x8xf32"), ("head_dim 4", "head_dim 8"), ("heads 2", "heads 1"))


def odd_heads(text):
    """Heads of 3 columns of which 2 turn, which no configuration says."""
    return replaced(text, ('q_proj.weight" : tensor<8x8xf32>', 'q_proj.weight" : tensor<6x8xf32>'),
                    ("%q_proj : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>", "%q_proj : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>"),
                    ("tensor<4x8xf32>", "tensor<3x8xf32>"), ("?x4xf32", "?x3xf32"), ("head_dim 4 theta", "head_dim 3 rotary_dim 2 theta"),
                    ("theta 1.000000e+04 : tensor<?x8xf32>", "theta 1.000000e+04 : tensor<?x6xf32>"), ("head_dim 4 causal", "head_dim 3 causal"),
                    (": (tensor<?x8xf32>, tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x8xf32>",
                     ": (tensor<?x6xf32>, tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x6xf32>"),
                    ('o_proj.weight" : tensor<8x8xf32>', 'o_proj.weight" : tensor<8x6xf32>'),
                    ("%o_proj : (tensor<?x8xf32>, tensor<8x8xf32>)", "%o_proj : (tensor<?x6xf32>, tensor<8x6xf32>)"))


os.chdir(sys.argv[1])
llama, mixtral = open("llama.mlir").read(), open("mixtral.mlir").read()
SCALE = "causal scale 5.000000e-01"
MIXES = "it passes through 'xfmr.layer_norm', which mixes columns or has none to remove"
# format, whole text, the error
MADE = [
    ("gguf", without_blocks(llama), "a model without blocks cannot be exported"),
    ("hf", without_blocks(llama), "a model without blocks cannot be exported"),
    ("gguf", second_block(mixtral, lambda _: llama[llama.index("%x2 = xfmr.block 1"):llama.index("    %norm = xfmr.weight")]),
     "block 1: xfmr.add: reads xfmr.linear, where the family's reads xfmr.moe"),
    ("hf", second_block(llama, lambda block: normed(narrow(block), "%up", 10, "%gated = xfmr.mul %silu, %up")),
     "block 1: its feed-forward network cannot be padded: " + MIXES),
    ("hf", second_block(llama, lambda block: normed(one_head(block), "%q", 4, "%q_rope = xfmr.rope half %q ")),
     "block 1: its attention cannot be padded with heads of zeros: query: " + MIXES),
    ("hf", second_block(llama, wide_heads), "layers have head sizes 4 to 8, which the format cannot express"),
    ("hf", replaced(llama, ("tensor<16x8xf32>\n    %x0", "tensor<20x8xf32>\n    %x0"), ("%embed_tokens : (tensor<?xi32>, tensor<16x8xf32>)", "%embed_tokens : (tensor<?xi32>, tensor<20x8xf32>)")),
     "xfmr.embedding: has an operand tensor<20x8xf32>, where one configuration for all blocks gives tensor<16x8xf32>"),
    ("hf", odd_heads(llama), 'the family "llama" has no configuration for the new shapes: config "config.json": key "head_dim" gives heads of 3 '
     "entries, expected an even number: they turn in pairs"),
    ("gguf", replaced(mixtral, ("(%w1_stack, %w3_stack, %w2_stack)", "(%w1_stack, %w3_stack, %w2_stack, %b)"),
                      ("%moe = xfmr.moe", '%b = xfmr.weight "b" : tensor<4x12xf32>\n %moe = xfmr.moe'),
                      ("tensor<4x8x12xf32>) -> tensor<?x8xf32> {", "tensor<4x8x12xf32>, tensor<4x12xf32>) -> tensor<?x8xf32> {"),
                      ("%w2: tensor<8x12xf32>)", "%w2: tensor<8x12xf32>, %b1: tensor<12xf32>)"),
                      ("%t, %w1 : (tensor<?x8xf32>, tensor<12x8xf32>)", "%t, %w1 bias %b1 : (tensor<?x8xf32>, tensor<12x8xf32>, tensor<12xf32>)")),
     "block 0: xfmr.linear: " + NO_PLACE),
    ("gguf", replaced(mixtral, ("xfmr.linear %t, %w", "xfmr.linear %t2, %w"), ("%w1_out", "%t2 = xfmr.scale %t by 2.0 : tensor<?x8xf32>\n %w1_out"), ("%t2 = xfmr.scale %t by 2.0 : tensor<?x8xf32>\n %w1_out :", "%w1_out :")),
     "block 0: xfmr.linear: reads xfmr.scale, where the family's reads the input"),
    ("gguf", second_block(replaced_once(llama, SCALE, SCALE + " window 4"), lambda block: replaced(block, (SCALE, SCALE + " window 5"))),
     "layers have different attention windows, which GGUF cannot express for this architecture"),
    ("hf", llama.replace('"model.norm.weight"', '"nothing"'), 'x.mlir:65:13: no tensor "nothing" in weight source "base" ("llama")'),
    ("gguf", llama.replace('"model.norm.weight"', '"nothing"'), 'x.mlir:65:13: no tensor "nothing" in weight source "base" ("llama")'),
]
for form, model, old, new, expected in CASES:
    text = open(model + ".mlir").read()
    if old not in text:
        sys.exit(f"{model}.mlir does not hold {old}")
    text = text.replace(old, new, 1)
    if "%router_bias" in new:
        text = with_router_bias(text)
    if "%sinks" in new:
        text = text.replace("      %attn", '      %sinks = xfmr.weight "s" : tensor<2xf32>\n      %attn', 1)
    MADE.append((form, text, expected))

failed = 0
for form, text, expected in MADE:
    open("x.mlir", "w").write(text)
    done = subprocess.run(["xfmr-export", "x.mlir", f"--format={form}", "-o", "x.out"], capture_output=True, text=True)
    if done.returncode != 1 or done.stderr != f"xfmr-export: error: {expected}\n" or os.path.exists("x.out"):
        print(f"{form}: expected {expected}\n  got {done.returncode} {done.stderr.strip()}")
        failed += 1
print(f"{len(MADE) - failed} of {len(MADE)} refused as said")
