// model, block, yield: the frame of a model.
#ifndef XFMR_OPS_STRUCTURE
#define XFMR_OPS_STRUCTURE

include "dialect/Attributes.td"

def Xfmr_ModelOp : Xfmr_Op<"model", [IsolatedFromAbove, Symbol, SingleBlock]> {
  let summary = "a model: a function from token ids [T] to logits [T, V]";
  let description = [{
    An encoder with a decoder takes two texts, `(%source, %tokens)`: logits are those of the second, whose first token is the
    config's `bos_token`. The ops in front of the first that reads `%tokens` are the encoder.

    `sources` maps the name of each weight source to a file or folder, relative to the file that holds this
    IR; `base` is the checkpoint itself. An encoder (no head) yields hidden states [T, D].

    Constraints:
    - C1: the body has one argument, the token ids tensor<?xi32>, or two of that type, the source in front
    - C2: the body ends in `xfmr.yield` of one value of type `output_type`
    - C3: the output is [T, vocab_size] or [T, hidden_size]
    - C4: sources map names to strings
    - C5: a weight inside names a source of this model (an empty dictionary allows `base` only)

    Example:
    ```mlir
    xfmr.model @tiny (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
        config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16>
        sources {base = "tiny"} {
      %table = xfmr.weight "embed" : tensor<8x4xf32>
      %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
      %logits = xfmr.linear %x, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
      xfmr.yield %logits : tensor<?x8xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$output_type, Xfmr_ConfigAttr:$config,
                       DictionaryAttr:$sources);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The token ids, [T]; with a source those of the decoder.
    ::mlir::Value getTokens() { return getBody().front().getArguments().back(); }
    /// The token ids of the source, [S], or null.
    ::mlir::Value getSource() { return getBody().getNumArguments() > 1 ? ::mlir::Value(getBody().getArgument(0)) : ::mlir::Value(); }
    /// With a source: the first op that reads the decoder's tokens; what stands before it is the encoder. Else null.
    ::mlir::Operation *getDecoderBegin();
    /// Path of a source as written, or empty when the model does not name it.
    ::llvm::StringRef getSourcePath(::llvm::StringRef source);
  }];
}

def Xfmr_BlockOp : Xfmr_Op<"block", [IsolatedFromAbove, SingleBlock]> {
  let summary = "one transformer block; holds its own weights, so passes run on blocks in parallel";
  let description = [{
    Constraints:
    - C1: the body's arguments have the types of the inputs
    - C2: the body ends in `xfmr.yield` of values of the result types
    - C3: `layer` is not negative

    Example:
    ```mlir
    %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %s = xfmr.add %h, %h : tensor<?x4xf32>
      xfmr.yield %s : tensor<?x4xf32>
    }
    ```
  }];
  let arguments = (ins I64Attr:$layer, Variadic<Xfmr_Activation>:$inputs);
  let results = (outs Variadic<Xfmr_Activation>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $layer ` ` `(` $inputs `)` attr-dict `:` functional-type($inputs, $results) $body
  }];
  let hasRegionVerifier = 1;
}

def Xfmr_YieldOp : Xfmr_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "the values of a model, a block or an expert";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // XFMR_OPS_STRUCTURE
