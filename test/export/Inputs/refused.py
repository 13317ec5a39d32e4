"""Models that a format cannot say, each made from a small checkpoint by one replacement in its text (the first place): what
xfmr-export answers. refused.py FOLDER, where llama.mlir, mixtral.mlir and their checkpoints lie."""
import os
import subprocess
import sys

LINEAR_8 = ": (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>"
BIASED_8 = " bias %input_layernorm : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>"
EXPERTS = " (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4x12x8xf32>, tensor<4x12x8xf32>, tensor<4x8x12xf32>)"
HEAD = "xfmr.linear %normed, %lm_head : (tensor<?x8xf32>, tensor<16x8xf32>)"
NO_PLACE = ("have a bias (of pruning with method=flap, for instance), which this format has no place for; fit weights "
            "instead, as method=fasp and method=obs do")

# format, model, text, what replaces it, the error
CASES = [
    ("gguf", "llama", "%logits = " + HEAD,
     '%b = xfmr.weight "b" : tensor<16xf32>\n %logits = ' + HEAD.replace(" :", " bias %b :").replace("16x8xf32>)", "16x8xf32>, tensor<16xf32>)"),
     "the head has a bias, which the format cannot express"),
    ("gguf", "llama", "%normed_1 = xfmr.rms_norm %h1,", "%normed_1 = xfmr.rms_norm %o,",
     "block 0: expected the norm of the residual stream, found one of xfmr.linear"),
    ("gguf", "llama", "%k = xfmr.linear %normed_0,", "%k = xfmr.linear %h,",
     "block 0: queries, keys and values come from different inputs"),
    ("gguf", "llama", "%up = xfmr.linear %normed_1,", "%up = xfmr.linear %h1,",
     "block 0: gate and up have different inputs"),
    ("gguf", "llama", "xfmr.mul %silu, %up", "xfmr.add %silu, %up",
     "block 0: expected xfmr.mul or xfmr.glu before the down projection, found xfmr.add"),
    ("gguf", "llama", "xfmr.mul %silu, %up", "xfmr.mul %gate, %up",
     "block 0: expected the activation of the gate, found xfmr.linear"),
    ("gguf", "llama", "%h1 = xfmr.add %h, %o", "%h1 = xfmr.add %normed_0, %o",
     "block 0: expected the residual xfmr.add after attention, found xfmr.linear"),
    ("gguf", "llama", "causal scale 5.000000e-01", "causal scale 5.000000e-01 window 4",
     "layers have different attention windows, which GGUF cannot express for this architecture"),
    ("gguf", "llama", "%o = xfmr.linear %attn, %o_proj " + LINEAR_8, "%o = xfmr.linear %attn, %o_proj" + BIASED_8,
     "output projections " + NO_PLACE),
    ("gguf", "llama", "%q = xfmr.linear %normed_0, %q_proj " + LINEAR_8, "%q = xfmr.linear %normed_0, %q_proj" + BIASED_8,
     "query, key or value projections " + NO_PLACE),
    ("gguf", "llama", "xfmr.embedding %tokens, %embed_tokens : (tensor<?xi32>, tensor<16x8xf32>)",
     'xfmr.embedding %tokens, %embed_tokens positions %embed_tokens : (tensor<?xi32>, tensor<16x8xf32>, tensor<16x8xf32>)',
     "learned positions cannot be exported"),
    ("gguf", "mixtral", "router %gate experts", "router %gate bias %router_bias experts",
     "block 0: a router with a bias cannot be exported"),
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

os.chdir(sys.argv[1])
failed = 0
for form, model, old, new, expected in CASES:
    text = open(model + ".mlir").read()
    if old not in text:
        sys.exit(f"{model}.mlir does not hold {old}")
    text = text.replace(old, new, 1)
    if "%router_bias" in new:  # a weight of its own, and its type
        text = text.replace(
            "      %moe = xfmr.moe", '      %router_bias = xfmr.weight "b" : tensor<4xf32>\n      %moe = xfmr.moe', 1).replace(
            EXPERTS, EXPERTS.replace("4x8xf32>,", "4x8xf32>, tensor<4xf32>,", 1), 1)
    open("x.mlir", "w").write(text)
    done = subprocess.run(["xfmr-export", "x.mlir", f"--format={form}", "-o", "x.out"], capture_output=True, text=True)
    if done.returncode != 1 or f"xfmr-export: error: {expected}" not in done.stderr.splitlines() or os.path.exists("x.out"):
        print(f"{form} {model}: {new}\n  expected {expected}\n  got {done.returncode} {done.stderr.strip()}")
        failed += 1
print(f"{len(CASES) - failed} of {len(CASES)} refused as said")
