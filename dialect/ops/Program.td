// The compiled program in printable stages: phases (caches and positions explicit), regions (Regions.td), dispatches
// (kernels on buffers), plan (offsets and barriers resolved). Long, because a stage is what it makes of the ops of the one before, and
// half of it is what each op says in the reference.
#ifndef XFMR_OPS_PROGRAM
#define XFMR_OPS_PROGRAM

include "dialect/kernels/Kernels.td"
include "dialect/ops/Compute.td"

def Xfmr_PhaseKind : Xfmr_Enum<"PhaseKind", "what a phase computes (docs/Architecture.md)", [
    I32EnumAttrCase<"prefill", 0>,
    I32EnumAttrCase<"last_logits", 1>,
    I32EnumAttrCase<"all_logits", 2>,
    I32EnumAttrCase<"decode", 3>,
    I32EnumAttrCase<"sample", 4>,
    I32EnumAttrCase<"prefill_few", 5>,
    I32EnumAttrCase<"encode", 6>,
    I32EnumAttrCase<"sample_greedy", 7>]>;
def Xfmr_PhaseKindAttr : Xfmr_EnumAttr<Xfmr_PhaseKind, "phase_kind">;

// Same order as program.BufferKind in runtime/artifact/Program.fbs.
def Xfmr_BufferKind : Xfmr_Enum<"BufferKind", "what a buffer is for", [
    I32EnumAttrCase<"weight", 0>, I32EnumAttrCase<"arena", 1>, I32EnumAttrCase<"cache", 2>,
    I32EnumAttrCase<"state", 3>, I32EnumAttrCase<"tokens", 4>, I32EnumAttrCase<"output", 5>,
    I32EnumAttrCase<"logits", 6>, I32EnumAttrCase<"stats", 7>, I32EnumAttrCase<"seen", 8>,
    I32EnumAttrCase<"probe", 9>]>;
def Xfmr_BufferKindAttr : Xfmr_EnumAttr<Xfmr_BufferKind, "buffer_kind">;

// Same order as program.Access.
def Xfmr_Access : Xfmr_Enum<"Access", "how a dispatch uses a buffer", [
    I32EnumAttrCase<"read", 0>, I32EnumAttrCase<"write", 1>, I32EnumAttrCase<"readwrite", 2>]>;

def Xfmr_ProgramOp : Xfmr_Op<"program", [IsolatedFromAbove, SymbolTable, SingleBlock, NoTerminator]> {
  let summary = "a model made ready to run: caches, buffers, kernels and phases";
  let description = [{
    Constraints:
    - C1: `max_context` and `chunk` are positive, `chunk` at most `max_context`
    - C2: `kv_type` is f32, f16 or i8: bytes with a scale of f32 for each head of a position

    `moe` is the route of its mixtures, `auto` if it is not given. A program without `target` is for any Vulkan device.

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32 moe auto target <cpu, alignment = 64, levels = [v3, v4]>
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @kv0 kv_heads 2 head_dim 8
      xfmr.phase decode rows 1 {
      ^bb0(%token: tensor<1xi32>):
        %table = xfmr.weight "embed" : tensor<32x16xf32>
        %x = xfmr.embedding %token, %table : (tensor<1xi32>, tensor<32x16xf32>) -> tensor<1x16xf32>
        xfmr.yield %x : tensor<1x16xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$max_context, I64Attr:$chunk, TypeAttr:$kv_type,
                       Xfmr_ConfigAttr:$config, DictionaryAttr:$sources,
                       OptionalAttr<Xfmr_MoeRouteAttr>:$moe, OptionalAttr<Xfmr_TargetAttr>:$target);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `max_context` $max_context `chunk` $chunk `kv` $kv_type (`moe` `` $moe^)? (`target` $target^)?
    `config` $config `sources` $sources attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The target, or any Vulkan device.
    TargetAttr targetOrPortable();
    MoeRoute moeRoute() { return getMoe().value_or(MoeRoute::Auto); }
  }];
}

def Xfmr_KvCacheOp : Xfmr_Op<"kv_cache", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "keys and values of one attention, for max_context positions";
  let description = [{
    Each is [num_kv_heads, max_context, paddedWidth(head_dim)] of the program's `kv_type`; with i8 the scales follow.

    Constraints:
    - C1: `num_kv_heads` and `head_dim` are positive

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @kv0 kv_heads 2 head_dim 8
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$num_kv_heads, I64Attr:$head_dim);
  let assemblyFormat = "$sym_name `kv_heads` $num_kv_heads `head_dim` $head_dim attr-dict";
  let hasVerifier = 1;
}

def Xfmr_PhaseOp : Xfmr_Op<"phase", [IsolatedFromAbove, SingleBlock, HasParent<"ProgramOp">]> {
  let summary = "one of the program's entry points, for at most `rows` tokens";
  let description = [{
    Before select-kernels the body computes on tensors and ends in a yield; afterwards it is a straight
    list of dispatches on buffers and has no arguments.

    Constraints:
    - C1: `rows` is positive; `decode`, `last_logits`, `sample` and `sample_greedy` have one row

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.phase sample rows 1 {
        xfmr.sample
        xfmr.yield
      }
    }
    ```
  }];
  let arguments = (ins Xfmr_PhaseKindAttr:$kind, I64Attr:$rows);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`` $kind `rows` $rows attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Xfmr_PositionOp : Xfmr_Op<"position", [Pure]> {
  let summary = "absolute position of row 0 of this run: the number of tokens in the cache";
  let description = [{
    ```mlir
    %position = xfmr.position
    %q_rope = xfmr.rope half %q at %position head_dim 8 theta 1.0e4 : tensor<4x16xf32>
    ```
  }];
  let arguments = (ins);
  let results = (outs Xfmr_Position:$result);
  let assemblyFormat = "attr-dict";
}

def Xfmr_CachedAttentionOp : Xfmr_Op<"cached_attention", [AttrSizedOperandSegments,
                                                          DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "append k and v to a cache at %position, then attend from q over the whole cache";
  let description = [{
    As `xfmr.attention`, with the keys and values of earlier runs in front.

    Constraints:
    - C1: `cache` names a kv_cache of the program with the same number of heads and head size
    - C2: query, key and value have as many columns as their heads times `head_dim`, and equal rows
    - C3: num_heads is a multiple of num_kv_heads; both are positive; sinks have num_heads entries
    - C4: window is positive; softcap is positive; scale is finite
    - C5: chunk is positive and comes with causal, without window; alibi is finite and positive, and comes with causal
    - C6: bias has num_heads columns, a multiple of four of rows and comes with max_distance, which is more than half of the rows

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @kv0 kv_heads 1 head_dim 8
      xfmr.phase prefill rows 4 {
      ^bb0(%q: tensor<4x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x8xf32>):
        %position = xfmr.position
        %a = xfmr.cached_attention %q, %k, %v at %position cache @kv0 heads 2 kv_heads 1 head_dim 8 causal scale 0.35
            : (tensor<4x16xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>) -> tensor<4x16xf32>
        xfmr.yield %a : tensor<4x16xf32>
      }
    }
    ```
  }];
  let arguments = (ins Xfmr_Activation:$query, Xfmr_Activation:$key, Xfmr_Activation:$value,
                       Xfmr_Position:$position, Optional<Xfmr_Vector>:$sinks, Optional<Xfmr_Matrix>:$bias,
                       FlatSymbolRefAttr:$cache, I64Attr:$num_heads, I64Attr:$num_kv_heads,
                       I64Attr:$head_dim, UnitAttr:$causal, F64Attr:$scale,
                       OptionalAttr<F64Attr>:$softcap, OptionalAttr<I64Attr>:$window,
                       OptionalAttr<I64Attr>:$chunk, OptionalAttr<F64Attr>:$alibi,
                       OptionalAttr<I64Attr>:$max_distance);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `at` $position `cache` $cache (`sinks` $sinks^)? (`bias` $bias^)?
    (`max_distance` $max_distance^)? `heads` $num_heads `kv_heads` $num_kv_heads `head_dim` $head_dim (`causal` $causal^)? `scale` $scale
    (`softcap` $softcap^)? (`window` $window^)? (`chunk` $chunk^)? (`alibi` $alibi^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_CachedLatentAttentionOp : Xfmr_Op<"cached_latent_attention", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "append a turned key part and a latent to a cache at %position, then attend over the cache as it is";
  let description = [{
    What `xfmr.cached_attention` computes from q, k = [key | K_h latent] and v = V_h latent, with no keys and values of heads:
    a row of the cache is [turned key | latent], r + c numbers. q [T, H*(r+n)], key [T, r], latent [T, c], K [H, c, n] transposed
    up-projections of keys, V [H, r+n, c] those of values. The first r entries of the key and of each head of q turn as in
    `xfmr.rope`; y_h = V_h (sum_j p_hj c_j), p_h = softmax over j of scale ([turned q_h | K_h q_h] · row j).

    Constraints:
    - C1: `cache` names a kv_cache of the program with one head of r + c numbers
    - C2: query, key, latent, K and V have the shapes above; the result is as the query
    - C3: num_heads is positive; r, n and c are multiples of 8
    - C4: scale is finite, theta finite and positive

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "deepseek_v2", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @kv0 kv_heads 1 head_dim 24
      xfmr.phase prefill rows 4 {
      ^bb0(%q: tensor<4x32xf32>, %k: tensor<4x8xf32>, %c: tensor<4x16xf32>):
        %up = xfmr.weight "k" : tensor<2x16x8xf32>
        %down = xfmr.weight "v" : tensor<2x16x16xf32>
        %position = xfmr.position
        %a = xfmr.cached_latent_attention interleaved %q, %k, %c, %up, %down at %position cache @kv0 heads 2 theta 1.0e4 scale 0.25
            : (tensor<4x32xf32>, tensor<4x8xf32>, tensor<4x16xf32>, tensor<2x16x8xf32>, tensor<2x16x16xf32>, tensor<i32>)
            -> tensor<4x32xf32>
        xfmr.yield %a : tensor<4x32xf32>
      }
    }
    ```
  }];
  let arguments = (ins Xfmr_Activation:$query, Xfmr_Activation:$key, Xfmr_Activation:$latent, Xfmr_Weight:$up_key,
                       Xfmr_Weight:$up_value, Xfmr_Position:$position, Xfmr_RopeStyleAttr:$style,
                       FlatSymbolRefAttr:$cache, I64Attr:$num_heads, F64Attr:$theta,
                       OptionalAttr<Xfmr_RopeScaling>:$scaling, F64Attr:$scale);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    `` $style $query `,` $key `,` $latent `,` $up_key `,` $up_value `at` $position `cache` $cache `heads` $num_heads
    `theta` $theta `scale` $scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Entries of the latent, and those that turn.
    int64_t getLatentDim() { return ::llvm::cast<::mlir::RankedTensorType>(getLatent().getType()).getDimSize(1); }
    int64_t getRotatedDim() { return ::llvm::cast<::mlir::RankedTensorType>(getKey().getType()).getDimSize(1); }
    /// Entries of a head of the query and of the result.
    int64_t getHeadDim() {
      return ::llvm::cast<::mlir::RankedTensorType>(getQuery().getType()).getDimSize(1) / static_cast<int64_t>(getNumHeads());
    }
  }];
}

def Xfmr_CacheWriteOp : Xfmr_Op<"cache_write", [AllTypesMatch<["key", "value"]>,
                                                DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "put the keys and values of a source into a cache, from position 0 on";
  let description = [{
    What `encode` leaves for the cross-attentions of the decoder, once a text.

    Constraints:
    - C1: `cache` names a kv_cache of the program
    - C2: key and value have as many columns as the cache's heads times `head_dim`

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "t5", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @cross0 kv_heads 2 head_dim 8
      xfmr.phase encode rows 8 {
      ^bb0(%k: tensor<8x16xf32>, %v: tensor<8x16xf32>):
        xfmr.cache_write %k, %v cache @cross0 : tensor<8x16xf32>
        xfmr.yield
      }
    }
    ```
  }];
  let arguments = (ins Xfmr_Activation:$key, Xfmr_Activation:$value, FlatSymbolRefAttr:$cache);
  let assemblyFormat = "$key `,` $value `cache` $cache attr-dict `:` type($key)";
}

def Xfmr_CrossAttentionOp : Xfmr_Op<"cross_attention", [AllTypesMatch<["query", "result"]>,
                                                        DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "attend from q over all that `encode` put into a cache";
  let description = [{
    As `xfmr.attention` with `cross`; how many keys there are is a word of the state.

    Constraints:
    - C1: `cache` names a kv_cache of the program with the same number of heads and head size
    - C2: the query has num_heads * head_dim columns
    - C3: num_heads is a multiple of num_kv_heads; both are positive; scale is finite

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "t5", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.kv_cache @cross0 kv_heads 2 head_dim 8
      xfmr.phase prefill rows 4 {
      ^bb0(%q: tensor<4x16xf32>):
        %a = xfmr.cross_attention %q cache @cross0 heads 2 kv_heads 2 head_dim 8 scale 1.0 : tensor<4x16xf32>
        xfmr.yield %a : tensor<4x16xf32>
      }
    }
    ```
  }];
  let arguments = (ins Xfmr_Activation:$query, FlatSymbolRefAttr:$cache, I64Attr:$num_heads, I64Attr:$num_kv_heads,
                       I64Attr:$head_dim, F64Attr:$scale);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $query `cache` $cache `heads` $num_heads `kv_heads` $num_kv_heads `head_dim` $head_dim `scale` $scale
    attr-dict `:` type($query)
  }];
  let hasVerifier = 1;
}

def Xfmr_LastRowOp : Xfmr_Op<"last_row", [Pure]> {
  let summary = "row count - 1: the last token of the run";
  let description = [{
    ```mlir
    %last = xfmr.last_row %x : tensor<8x16xf32> -> tensor<1x16xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Xfmr_SampleOp : Xfmr_Op<"sample"> {
  let summary = "choose the next id from logits, by the sampling parameters of the state";
  let description = [{
    ```mlir
    xfmr.sample
    ```
  }];
  let arguments = (ins);
  let assemblyFormat = "attr-dict";
}

// From here on: the dispatch and plan stages.

def Xfmr_BufferOp : Xfmr_Op<"buffer", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "a buffer of the program that is not a weight";
  let description = [{
    Sizes are bytes; the kind says who fills it and whether it lives on between runs (docs/Architecture.md). `columns` are those
    of a probe, without its pad.

    Constraints:
    - C1: `size` is positive
    - C2: a probe has `columns`, at least one, and no other kind has

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.buffer @state state size 128
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Xfmr_BufferKindAttr:$kind, I64Attr:$size,
                       OptionalAttr<I64Attr>:$columns);
  let assemblyFormat = "$sym_name `` $kind `size` $size (`columns` $columns^)? attr-dict";
  let hasVerifier = 1;
}

def Xfmr_PackedWeightOp : Xfmr_Op<"packed_weight", [Symbol, IsolatedFromAbove, SingleBlock,
                                                   HasParent<"ProgramOp">]> {
  let summary = "a weight as kernels read it: [rows, paddedWidth(cols)] of one element type";
  let description = [{
    The body yields the weight expression. `rows` and `cols` are those of the expression (leading axes
    of a stacked weight count as rows); storage pads both to multiples of 8 with zeros. A vector is one row.

    Constraints:
    - C1: the body yields one weight, of one to three axes

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.packed_weight @gate_up : memref<64x16xf32> {
        %gate = xfmr.weight "gate" : tensor<32x16xf32>
        %up = xfmr.weight "up" : tensor<32x16xf32>
        %gate_up = xfmr.weight_concat %gate, %up axis 0 : (tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<64x16xf32>
        xfmr.yield %gate_up : tensor<64x16xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `:` $type attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Xfmr_RopeTableOp : Xfmr_Op<"rope_table", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "cos and sin of every position, computed at compile time in f64";
  let description = [{
    f32 [max_context, paddedWidth(rotary_dim)]: row p holds cos(p f_i) for i < rotary_dim / 2, then
    sin(p f_i), both times the attention factor of the scaling. With a `position_growth` all f_i are 0 and the factor is that of
    position p, so column 0 is what `xfmr.position_scale` multiplies by.

    Constraints:
    - C1: `rows` is positive; `rotary_dim` is positive and even

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.rope_table @rope0 rows 8 rotary_dim 16 theta 1.0e4
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$rows, I64Attr:$rotary_dim, F64Attr:$theta,
                       OptionalAttr<Xfmr_TableScaling>:$scaling);
  let assemblyFormat = "$sym_name `rows` $rows `rotary_dim` $rotary_dim `theta` $theta attr-dict";
  let hasVerifier = 1;
}

def Xfmr_VariantOp : Xfmr_Op<"variant", [IsolatedFromAbove, SingleBlock, NoTerminator, SymbolTable, HasParent<"ExecutableOp">]> {
  let summary = "the code of a kernel for devices with certain features";
  let description = [{
    All variants of an executable take the same buffers, push words and grid. The body holds one module: `gpu.module`
    or `spirv.module` for Vulkan, `builtin.module` for the CPU. Serialised, `code` holds its bytes (SPIR-V words; an
    object file) and the body is empty.

    Constraints:
    - C1: `workgroup` has three positive extents
    - C2: one op as the body, or `code` and an empty body

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.executable @gemm_f32 #xfmr.gemm<> {
        xfmr.variant "portable" workgroup [64, 1, 1] shared 8192 {
          gpu.module @gemm_f32 {
          }
        }
      }
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, OptionalAttr<StrArrayAttr>:$features, DenseI32ArrayAttr:$workgroup,
                       DefaultValuedAttr<I64Attr, "0">:$shared, OptionalAttr<ElementsAttr>:$code);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name (`requires` $features^)? `workgroup` $workgroup (`shared` $shared^)? (`code` $code^)?
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Xfmr_ExecutableOp : Xfmr_Op<"executable", [Symbol, IsolatedFromAbove, NoTerminator, HasParent<"ProgramOp">]> {
  let summary = "a kernel, and after codegen its code for each level of the target";
  let description = [{
    On Vulkan there is one executable a kernel, and its `params` belong to each dispatch. On the CPU there is one
    a kernel and params: every number is a constant of the code.

    Constraints:
    - C1: `params` are without fault for the kernel
    - C2: the body holds variants only; no two have one name

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.executable @gemm_f32_residual #xfmr.gemm<epilogue = <residual>>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Xfmr_AnyKernel:$kernel, OptionalAttr<Xfmr_AnyKernelParams>:$params);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $kernel (`params` $params^)? attr-dict-with-keyword ($body^)?";
  let hasVerifier = 1;
}

def Xfmr_MoeLayerOp : Xfmr_Op<"moe_layer", [HasParent<"ProgramOp">]> {
  let summary = "where the counters of a mixture lie in the buffer of statistics";
  let description = [{
    At `stats` bytes of the buffer @moe_stats: u32 counts [experts], then f32 weight sums [experts]. One op a mixture,
    in the order of the layers.

    Constraints:
    - C1: `layer` and `stats` are not negative, `experts` is positive

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.moe_layer 0 experts 8 stats 0
    }
    ```
  }];
  let arguments = (ins I64Attr:$layer, I64Attr:$experts, I64Attr:$stats);
  let assemblyFormat = "$layer `experts` $experts `stats` $stats attr-dict";
  let hasVerifier = 1;
}

def Xfmr_BufferRefOp : Xfmr_Op<"buffer_ref", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a named buffer, or a part of it that starts `offset` bytes in";
  let description = [{
    Constraints:
    - C1: `buffer` names a buffer, packed weight or rope table of the program
    - C2: `offset` is not negative

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.buffer @hidden arena size 256
      xfmr.phase decode rows 1 {
        %hidden = xfmr.buffer_ref @hidden offset 64 : memref<?xf32>
        xfmr.yield
      }
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$buffer, DefaultValuedAttr<I64Attr, "0">:$offset);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$buffer (`offset` $offset^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Xfmr_DispatchOp : Xfmr_Op<"dispatch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel: buffers in binding order, the facts of this run";
  let description = [{
    Push words and grid follow from the kernel and `params`. With `indirect` the grid is read from three u32 at
    `indirect_offset` bytes of that buffer.

    Constraints:
    - C1: one access a buffer
    - C2: number and access of the buffers are those of the kernel's bindings
    - C3: `kernel` names an executable of the program
    - C4: `indirect_offset` is not negative and a multiple of 4
    - C5: `params` are without fault for the kernel, and equal to its executable's if that has any
    - C6: push words and grid are within the limits of the target
    - C7: the elements of a buffer are those of the binding

    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
      xfmr.buffer @state state size 128
      xfmr.buffer @hidden arena size 256
      xfmr.buffer @normed arena size 256
      xfmr.packed_weight @norm : memref<16xf32> {
        %norm = xfmr.weight "norm" : tensor<16xf32>
        xfmr.yield %norm : tensor<16xf32>
      }
      xfmr.executable @rms_norm #xfmr.norm<>
      xfmr.phase decode rows 1 {
        %state = xfmr.buffer_ref @state : memref<?xi32>
        %hidden = xfmr.buffer_ref @hidden : memref<?xf32>
        %norm = xfmr.buffer_ref @norm : memref<16xf32>
        %normed = xfmr.buffer_ref @normed : memref<?xf32>
        xfmr.dispatch @rms_norm "final norm"
            #xfmr.norm_params<width = 16, max_rows = 1, x = <stride = 16>, out = <stride = 16>>
            (%state read, %hidden read, %normed write, %norm read)
            : memref<?xi32>, memref<?xf32>, memref<?xf32>, memref<16xf32>
        xfmr.barrier
        xfmr.yield
      }
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, StrAttr:$label, Variadic<AnyMemRef>:$buffers,
                       Optional<AnyMemRef>:$indirect, DenseI32ArrayAttr:$access, Xfmr_AnyKernelParams:$params,
                       DefaultValuedAttr<I64Attr, "0">:$indirect_offset);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ExecutableOp getExecutable();
    /// Push words and grid on Vulkan.
    VulkanLaunch getVulkanLaunch();
  }];
}

def Xfmr_BarrierOp : Xfmr_Op<"barrier"> {
  let summary = "everything before is visible to everything after";
  let description = [{
    ```mlir
    xfmr.barrier
    ```
  }];
  let arguments = (ins);
  let assemblyFormat = "attr-dict";
}

#endif // XFMR_OPS_PROGRAM
