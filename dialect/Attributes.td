// Structured attributes: the model's configuration and the scaled forms of rotary frequencies.
#ifndef XFMR_ATTRIBUTES
#define XFMR_ATTRIBUTES

include "dialect/Enums.td"

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
def Xfmr_RopeScaling : AnyAttrOf<[Xfmr_LinearRopeAttr, Xfmr_Llama3RopeAttr, Xfmr_YarnRopeAttr,
                                  Xfmr_DivisorRopeAttr], "rope scaling attribute">;

#endif // XFMR_ATTRIBUTES
