// Typed choices: an attribute is never a string to be parsed again.
#ifndef XFMR_ENUMS
#define XFMR_ENUMS

include "dialect/Dialect.td"

class Xfmr_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::xfmr";
  let genSpecializedAttr = 0;
}

// Prints a space and the keyword, so an assemblyFormat puts `` (no space) in front.
class Xfmr_EnumAttr<EnumInfo choices, string attrMnemonic> : EnumAttr<Xfmr_Dialect, choices, attrMnemonic>;

def Xfmr_ActivationKind : Xfmr_Enum<"ActivationKind", "activation function", [
    I32EnumAttrCase<"relu", 0>,       // max(x, 0)
    I32EnumAttrCase<"gelu", 1>,       // exact: x * Phi(x), with erf
    I32EnumAttrCase<"gelu_tanh", 2>,  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): at most 4.7324e-4 away from the exact one
    I32EnumAttrCase<"silu", 3>,       // x * sigmoid(x)
    I32EnumAttrCase<"sigmoid", 4>,    // 1 / (1 + e^-x)
    I32EnumAttrCase<"tanh", 5>,
    I32EnumAttrCase<"relu2", 6>]>;    // max(x, 0)^2
def Xfmr_ActivationKindAttr : Xfmr_EnumAttr<Xfmr_ActivationKind, "activation_kind">;

def Xfmr_RopeStyle : Xfmr_Enum<"RopeStyle", "which entries of a head form a rotated pair", [
    I32EnumAttrCase<"half", 0>,          // (i, i + n/2): Hugging Face checkpoints
    I32EnumAttrCase<"interleaved", 1>]>; // (2i, 2i + 1): GGUF llama, Llama 4, DeepSeek
def Xfmr_RopeStyleAttr : Xfmr_EnumAttr<Xfmr_RopeStyle, "rope_style">;

def Xfmr_GluLayout : Xfmr_Enum<"GluLayout", "how gate and up rows lie in the packed weight", [
    I32EnumAttrCase<"concat", 0>,        // rows 0..F-1 gate, F..2F-1 up
    I32EnumAttrCase<"interleaved", 1>]>; // row 2j gate j, row 2j+1 up j
def Xfmr_GluLayoutAttr : Xfmr_EnumAttr<Xfmr_GluLayout, "glu_layout">;

def Xfmr_QuantRule : Xfmr_Enum<"QuantRule", "how scales are chosen when numbers are rounded to codes", [
    I32EnumAttrCase<"absmax", 0>,   // the largest magnitude meets the last code
    I32EnumAttrCase<"search", 1>]>; // least squared error among candidates, judged as the scale is stored
def Xfmr_QuantRuleAttr : Xfmr_EnumAttr<Xfmr_QuantRule, "quant_rule">;

def Xfmr_TargetKind : Xfmr_Enum<"TargetKind", "what runs a program", [
    I32EnumAttrCase<"vulkan", 0>,
    I32EnumAttrCase<"cpu", 1>]>;

def Xfmr_CpuLevel : Xfmr_Enum<"CpuLevel", "instructions a kernel may use: x86-64-v2, -v3, -v4, v4 with AVX512_VNNI and AVX512_BF16, that with AMX; aarch64 with NEON, that with dot products of bytes", [
    I32EnumAttrCase<"v2", 0>,
    I32EnumAttrCase<"v3", 1>,
    I32EnumAttrCase<"v4", 2>,
    I32EnumAttrCase<"v4_dot", 3>,
    I32EnumAttrCase<"v4_amx", 4>,
    I32EnumAttrCase<"neon", 5>,
    I32EnumAttrCase<"neon_dot", 6>]>;

def Xfmr_MoeRoute : Xfmr_Enum<"MoeRoute", "how rows of a mixture meet their experts (passes/lowering/MoeRoute.h)", [
    I32EnumAttrCase<"Auto", 0, "auto">,       // whichever a cost model finds cheaper
    I32EnumAttrCase<"Grouped", 1, "grouped">, // rows sorted by expert, matrix products over tiles
    I32EnumAttrCase<"ById", 2, "by_id">]>;    // a matrix-vector product a row and chosen expert
def Xfmr_MoeRouteAttr : Xfmr_EnumAttr<Xfmr_MoeRoute, "moe_route">;

#endif // XFMR_ENUMS
