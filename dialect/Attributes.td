// Structured attributes: the model's configuration and the scaled forms of rotary frequencies.
#ifndef XFMR_ATTRIBUTES
#define XFMR_ATTRIBUTES

include "dialect/Types.td"

class Xfmr_Attr<string name, string attrMnemonic> : AttrDef<Xfmr_Dialect, name> {
  let mnemonic = attrMnemonic;
}

// An f64 written as a plain number.
class Xfmr_DoubleParameter : APFloatParameter<""> {
  let parser = "::xfmr::parseDouble($_parser)";
  let printer = "$_printer.printFloat($_self)";
}
def Xfmr_Double : Xfmr_DoubleParameter;

def Xfmr_ConfigAttr : Xfmr_Attr<"Config", "config"> {
  let summary = "what a user of the model must know besides its weights";
  let description = [{
    `architecture` is the checkpoint's `model_type`. `max_position` is the longest context the model was
    made for. Token ids are absent when the checkpoint names none.
  }];
  let parameters = (ins
    StringRefParameter<"model_type of the checkpoint">:$architecture,
    "int64_t":$hidden_size, "int64_t":$vocab_size, "int64_t":$max_position,
    OptionalParameter<"::std::optional<int64_t>">:$bos_token,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$eos_tokens);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

// Frequencies f_i = theta^(-2i/n), i = 0 .. n/2-1, changed by one of these (reference: the `rope_type`s of
// Hugging Face's configuration files).
def Xfmr_LinearRopeAttr : Xfmr_Attr<"LinearRope", "linear_rope"> {
  let summary = "f_i / factor";
  let parameters = (ins Xfmr_Double:$factor);
  let assemblyFormat = "`<` struct(params) `>`";
}
def Xfmr_Llama3RopeAttr : Xfmr_Attr<"Llama3Rope", "llama3_rope"> {
  let summary = "Llama 3.1: long wavelengths divided by factor, short ones kept, a ramp between";
  let parameters = (ins Xfmr_Double:$factor, Xfmr_Double:$low_freq_factor, Xfmr_Double:$high_freq_factor,
                        "int64_t":$original_max_position);
  let assemblyFormat = "`<` struct(params) `>`";
}
def Xfmr_YarnRopeAttr : Xfmr_Attr<"YarnRope", "yarn_rope"> {
  let summary = "YaRN: ramp between kept and divided frequencies; cos and sin times attention_factor";
  let parameters = (ins Xfmr_Double:$factor, Xfmr_Double:$beta_fast, Xfmr_Double:$beta_slow,
                        "int64_t":$original_max_position, Xfmr_Double:$attention_factor,
                        "bool":$truncate);
  let assemblyFormat = "`<` struct(params) `>`";
}
def Xfmr_DivisorRopeAttr : Xfmr_Attr<"DivisorRope", "divisor_rope"> {
  let summary = "f_i / divisors[i] (longrope lists); cos and sin times attention_factor";
  let parameters = (ins "::mlir::DenseF64ArrayAttr":$divisors, Xfmr_Double:$attention_factor);
  let assemblyFormat = "`<` struct(params) `>`";
}
def Xfmr_PositionGrowthAttr : Xfmr_Attr<"PositionGrowth", "position_growth"> {
  let summary = "1 + scale ln(1 + floor((p + shift) / floor)): what queries of long contexts grow by (Llama 4; shift 0: Ministral 3)";
  let parameters = (ins Xfmr_Double:$floor, Xfmr_Double:$scale, DefaultValuedParameter<"int64_t", "1">:$shift);
  let assemblyFormat = "`<` struct(params) `>`";
}
def Xfmr_RopeScaling : AnyAttrOf<[Xfmr_LinearRopeAttr, Xfmr_Llama3RopeAttr, Xfmr_YarnRopeAttr,
                                  Xfmr_DivisorRopeAttr], "rope scaling attribute">;
def Xfmr_TableScaling : AnyAttrOf<[Xfmr_LinearRopeAttr, Xfmr_Llama3RopeAttr, Xfmr_YarnRopeAttr,
                                   Xfmr_DivisorRopeAttr, Xfmr_PositionGrowthAttr], "rope scaling or growth attribute">;

def Xfmr_TargetAttr : Xfmr_Attr<"Target", "target"> {
  let summary = "what a program is compiled for, and every limit that passes must keep to";
  let description = [{
    A limit that a target does not have is not written: a CPU binds buffers of any size.

    - `binding_bytes`: most bytes of one buffer binding
    - `push_words`: most 32-bit push words of a dispatch
    - `grid`: most workgroups along one dimension of a dispatch
    - `alignment`: what offsets of bindings are multiples of, in bytes
    - `levels`: the instruction sets that CPU kernels are compiled for

    ```
    #xfmr.target<vulkan, binding_bytes = 134217728, push_words = 16, grid = 65535, alignment = 256>
    #xfmr.target<cpu, alignment = 64, levels = [v2, v3, v4, v4_dot, v4_amx]>
    ```

    Constraints:
    - C1: every number is positive; `binding_bytes` is at least 65536
    - C2: `alignment` is a power of two, at least 4
    - C3: `vulkan` has `binding_bytes`, `push_words` and `grid` and no levels
    - C4: `cpu` has one level or more, ascending, and nothing else than `alignment`
    - C5: levels are those of one architecture: v2, v3, v4, v4_dot and v4_amx of x86-64, or neon and neon_dot of aarch64
  }];
  let parameters = (ins
    "::xfmr::TargetKind":$kind,
    OptionalParameter<"int64_t">:$binding_bytes, OptionalParameter<"int64_t">:$push_words,
    OptionalParameter<"int64_t">:$grid, "int64_t":$alignment,
    OptionalArrayRefParameter<"::xfmr::CpuLevel">:$levels);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The limits that every Vulkan device keeps to.
    static TargetAttr portableVulkan(::mlir::MLIRContext *context, int64_t bindingBytes = int64_t(1) << 27);
    /// All levels of the architecture of `triple`, "x86_64-linux-gnu" or "aarch64-linux-gnu" (a vendor may stand in it); null
    /// for anything else.
    static TargetAttr cpu(::mlir::MLIRContext *context, ::llvm::StringRef triple = "x86_64-linux-gnu");

    bool isVulkan() const { return getKind() == TargetKind::vulkan; }
    /// Most bytes, push words and workgroups; where there is no limit, more than anyone asks for.
    int64_t mostBindingBytes() const;
    int64_t mostPushWords() const;
    int64_t mostGridExtent() const;
  }];
}

#endif // XFMR_ATTRIBUTES
