// Kernels and dispatches as attributes. A kernel's attribute wraps its Spec, the facts of a dispatch its Params (one
// header a kernel in passes/codegen, which says what it computes); their fields, in snake case, are the syntax: words
// for enums, a bare name for a flag that is on, fields of the default value left out. Unknown or repeated names, other
// words and numbers that do not fit are refused while parsing. The file is long because it is a table: one short entry a
// kernel, all of one form, which the generated readers, printers and verifiers need in one place.
#ifndef XFMR_KERNELS
#define XFMR_KERNELS

include "dialect/Attributes.td"

def Xfmr_KernelAttrInterface : AttrInterface<"KernelAttrInterface"> {
  let cppNamespace = "::xfmr";
  let description = "All that a pass asks about a kernel, whichever it is.";
  let methods = [
    InterfaceMethod<"The word of the attribute, e.g. `gemv`.", "::llvm::StringRef", "getFamily">,
    InterfaceMethod<"A name that no other kernel has.", "::std::string", "getKernelName">,
    InterfaceMethod<"The buffers in binding order.", "::std::vector<::xfmr::codegen::Binding>", "getBindings">,
    InterfaceMethod<"Why no dispatch has these params; empty if one has.", "::std::string", "getFault",
                    (ins "::mlir::Attribute":$params)>,
    InterfaceMethod<"Push words and grid of a dispatch on Vulkan, at most `mostExtent` workgroups a dimension where the "
                    "grid can be folded. The params must be without fault.", "::xfmr::VulkanLaunch", "getVulkanLaunch",
                    (ins "::mlir::Attribute":$params, "int64_t":$mostExtent)>,
    InterfaceMethod<"What threads share a dispatch by on the CPU (passes/codegen/Choice.h).", "::xfmr::codegen::cpu::Tile",
                    "getCpuTile", (ins "::mlir::Attribute":$params)>,
    InterfaceMethod<"Operations and bytes of a dispatch for a load of tokens, by the formula of the family in "
                    "passes/codegen/Cost.h. The params must be without fault.", "::xfmr::codegen::Cost", "getCost",
                    (ins "::mlir::Attribute":$params, "const ::xfmr::codegen::Machine &":$machine,
                         "const ::xfmr::codegen::Load &":$load)>,
    InterfaceMethod<"What a dispatch has to do a row and a key, as the artifact keeps it for measurements "
                    "(passes/codegen/Work.h).", "::xfmr::codegen::DispatchWork", "getWork", (ins "::mlir::Attribute":$params)>];
}
def Xfmr_KernelParamsAttrInterface : AttrInterface<"KernelParamsAttrInterface"> {
  let cppNamespace = "::xfmr";
  let description = "The facts of one dispatch.";
  let methods = [
    InterfaceMethod<"The word of the kernels that take them, e.g. `gemv`.", "::llvm::StringRef", "getFamily">];
}
def Xfmr_AnyKernel : Attr<CPred<"::llvm::isa<::xfmr::KernelAttrInterface>($_self)">, "kernel attribute"> {
  let storageType = "::xfmr::KernelAttrInterface";
  let returnType = "::xfmr::KernelAttrInterface";
  let convertFromStorage = "$_self";
}
def Xfmr_AnyKernelParams : Attr<CPred<"::llvm::isa<::xfmr::KernelParamsAttrInterface>($_self)">,
                                "params attribute of a kernel"> {
  let storageType = "::xfmr::KernelParamsAttrInterface";
  let returnType = "::xfmr::KernelParamsAttrInterface";
  let convertFromStorage = "$_self";
}

class Xfmr_FieldsAttr<string attr, string attrMnemonic, string cppStruct, list<Trait> traits>
    : AttrDef<Xfmr_Dialect, attr, traits> {
  let mnemonic = attrMnemonic;
  let parameters = (ins AttrParameter<"::xfmr::codegen::" # cppStruct, "its fields">:$fields);
  let hasCustomAssemblyFormat = 1;
}

class Xfmr_Kernel<string kernel, string attrMnemonic>
    : Xfmr_FieldsAttr<kernel, attrMnemonic, kernel # "Spec", [DeclareAttrInterfaceMethods<Xfmr_KernelAttrInterface>]> {
  let genVerifyDecl = 1;
  let extraClassDefinition = [{
    ::mlir::Attribute $cppClass::parse(::mlir::AsmParser &parser, ::mlir::Type) {
      return parseFields<$cppClass, ::xfmr::codegen::}] # kernel # [{Spec>(parser);
    }
    void $cppClass::print(::mlir::AsmPrinter &printer) const { printFields(printer, getFields()); }
    ::mlir::LogicalResult $cppClass::verify(::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError,
                                            ::xfmr::codegen::}] # kernel # [{Spec fields) {
      ::std::string fault = fields.fault();
      return fault.empty() ? ::mlir::success() : ::mlir::LogicalResult(emitError() << getMnemonic() << ": " << fault);
    }
    ::llvm::StringRef $cppClass::getFamily() const { return getMnemonic(); }
    ::std::string $cppClass::getKernelName() const { return getFields().name(); }
    ::std::vector<::xfmr::codegen::Binding> $cppClass::getBindings() const { return getFields().bindings(); }
    ::std::string $cppClass::getFault(::mlir::Attribute params) const {
      auto given = ::llvm::dyn_cast<}] # kernel # [{ParamsAttr>(params);
      return given ? given.getFields().fault(getFields()) : otherFamily(params, *this);
    }
    ::xfmr::VulkanLaunch $cppClass::getVulkanLaunch(::mlir::Attribute params, int64_t mostExtent) const {
      auto given = ::llvm::cast<}] # kernel # [{ParamsAttr>(params).getFields();
      return {given.push(), ::xfmr::codegen::foldGrid(given.grid(getFields()), static_cast<uint64_t>(mostExtent))};
    }
    ::xfmr::codegen::cpu::Tile $cppClass::getCpuTile(::mlir::Attribute params) const {
      return ::xfmr::codegen::cpu::tileOf(getFields(), ::llvm::cast<}] # kernel # [{ParamsAttr>(params).getFields());
    }
    ::xfmr::codegen::DispatchWork $cppClass::getWork(::mlir::Attribute params) const {
      return ::xfmr::codegen::workOf(getFields(), ::llvm::cast<}] # kernel # [{ParamsAttr>(params).getFields());
    }
    ::xfmr::codegen::Cost $cppClass::getCost(::mlir::Attribute params, const ::xfmr::codegen::Machine &machine,
                                             const ::xfmr::codegen::Load &load) const {
      return ::xfmr::codegen::costOf(getFields(), ::llvm::cast<}] # kernel # [{ParamsAttr>(params).getFields(), machine, load);
    }
  }];
}
class Xfmr_KernelParams<string kernel, string kernelMnemonic>
    : Xfmr_FieldsAttr<kernel # "Params", kernelMnemonic # "_params", kernel # "Params",
                      [DeclareAttrInterfaceMethods<Xfmr_KernelParamsAttrInterface>]> {
  let extraClassDefinition = [{
    ::mlir::Attribute $cppClass::parse(::mlir::AsmParser &parser, ::mlir::Type) {
      return parseFields<$cppClass, ::xfmr::codegen::}] # kernel # [{Params>(parser);
    }
    void $cppClass::print(::mlir::AsmPrinter &printer) const { printFields(printer, getFields()); }
    ::llvm::StringRef $cppClass::getFamily() const { return "}] # kernelMnemonic # [{"; }
  }];
}

def Xfmr_AttentionCombineKernel : Xfmr_Kernel<"AttentionCombine", "attention_combine"> {
  let summary = "joins the splits of one decoding row";
  let description = [{
    - `head_dim`
    - `sinks`: exp(sink_h) joins the denominator

    Constraints:
    - C1: `head_dim` is a multiple of 4 from 4 to 256

    `#xfmr.attention_combine<head_dim = 64>`
  }];
}
def Xfmr_AttentionCombineParams : Xfmr_KernelParams<"AttentionCombine", "attention_combine"> {
  let summary = "the facts of a dispatch of attention_combine";
  let description = [{
    - `num_heads`
    - `max_context`: positions of the cache
    - `out_offset`
    - `window`: keys a row sees; 0: all
    - `chunk`: positions of a chunk; 0: none

    `#xfmr.attention_combine_params<num_heads = 4, max_context = 512>`
  }];
}

def Xfmr_AttentionDecodeKernel : Xfmr_Kernel<"AttentionDecode", "attention_decode"> {
  let summary = "attention of one row, the keys in splits";
  let description = [{
    - `head_dim`
    - `cache`: `f32`, `f16` or `q8`
    - `single`: one split, which finishes
    - `softcap`: scores go through c tanh(s / c)
    - `sinks`
    - `alibi`: scores fall with the distance
    - `bias`: scores have a bias by distance, of a table
    - `cross`: all keys of a source
    - `latent`: keys are the values too
    - `combines`: of a head's splits the one that ends last combines all
    - `caches`: writes the token's own key and value into the caches, which hold those before; with it `style`, `q_norm`,
      `k_norm` and `unit_offset` as `rope_cache` has them

    Constraints:
    - C1: `head_dim` is from 1 to 256, with `latent` to 640
    - C2: `sinks` only with `single` or `combines`
    - C3: `single` and `combines` exclude each other
    - C4: `style`, `q_norm` and `k_norm` only with `caches`
    - C5: `unit_offset` only with `q_norm` or `k_norm`
    - C6: `caches` only with `single` or `combines`
    - C7: `cross` comes alone, without softcap, sinks, biases and caches
    - C8: with `latent`, `head_dim` is a multiple of 8
    - C9: `latent` comes without `bias`, `cross`, `combines` and `caches`

    `#xfmr.attention_decode<head_dim = 64, cache = f16>`
  }];
}
def Xfmr_AttentionDecodeParams : Xfmr_KernelParams<"AttentionDecode", "attention_decode"> {
  let summary = "the facts of a dispatch of attention_decode";
  let description = [{
    - `num_heads`, `num_kv_heads`
    - `max_context`
    - `q_offset`, `out_offset`: in floats
    - `scale`, `softcap`
    - `window`, `chunk`: 0 for none
    - `alibi`: exponent of the last of a power of two of heads; 0 for none
    - `k_offset`, `v_offset`, `rotary_dim`, `eps`: with `caches`

    `#xfmr.attention_decode_params<num_heads = 4, num_kv_heads = 2, max_context = 512, scale = 0.125>`
  }];
}

def Xfmr_AttentionPrefillKernel : Xfmr_Kernel<"AttentionPrefill", "attention_prefill"> {
  let summary = "attention of many rows over the cache";
  let description = [{
    - `head_dim`
    - `cache`: `f32`, `f16` or `q8`
    - `causal`: true unless it says false
    - `softcap`
    - `sinks`
    - `alibi`: scores fall with the distance
    - `chunked`: keys of the own chunk alone
    - `bias`: scores have a bias by distance, of a table
    - `cross`: all keys of a source
    - `latent`: keys are the values too

    Constraints:
    - C1: `head_dim` is from 1 to 256, with `latent` to 640
    - C2: `cross` comes alone, without causal, softcap, sinks, biases and chunks
    - C3: with `latent`, `head_dim` is a multiple of 8
    - C4: `latent` comes without `bias` and `cross`

    `#xfmr.attention_prefill<head_dim = 16, causal = false>`
  }];
}
def Xfmr_AttentionPrefillParams : Xfmr_KernelParams<"AttentionPrefill", "attention_prefill"> {
  let summary = "the facts of a dispatch of attention_prefill";
  let description = [{
    - `num_heads`, `num_kv_heads`
    - `max_context`
    - `max_rows`: most rows of the phase
    - `q`, `out`: rows
    - `scale`, `softcap`
    - `window`, `chunk`: 0 for none
    - `alibi`: exponent of the last of a power of two of heads; 0 for none

    `#xfmr.attention_prefill_params<num_heads = 1, num_kv_heads = 1, max_context = 8, max_rows = 4, q = <stride
    = 16>, out = <stride = 16>>`
  }];
}

def Xfmr_ElementwiseKernel : Xfmr_Kernel<"Elementwise", "elementwise"> {
  let summary = "one operation on each element";
  let description = [{
    - `op`: `copy`, `add`, `mul`, `activation`, `scale`, `softcap`, `row_scale`, `last_row`, `clamp` or `position_scale`
    - `activation`: of `activation`

    Constraints:
    - C1: other ops have no `activation`

    `#xfmr.elementwise<op = activation, activation = silu>`
  }];
}
def Xfmr_ElementwiseParams : Xfmr_KernelParams<"Elementwise", "elementwise"> {
  let summary = "the facts of a dispatch of elementwise";
  let description = [{
    - `width`: columns
    - `max_rows`
    - `a`, `b`, `out`: rows; a stride of 0 repeats one
    - `value`: of `scale`, `softcap` and `clamp`

    `#xfmr.elementwise_params<width = 16, max_rows = 4, a = <stride = 16>, out = <stride = 16>>`
  }];
}

def Xfmr_EmbeddingKernel : Xfmr_Kernel<"Embedding", "embedding"> {
  let summary = "rows of a table by token id";
  let description = [{
    - `weight`: `f32`, `f16`, `bf16`, `q8`, `q4`, `q8_wide`, `q4_wide`, `q8_fine`, `q6_fine`, `q4_fine`, `q8_fine_wide` or
      `q4_fine_wide`, how the matrix lies in memory
    - `positions`: adds a learned position

    `#xfmr.embedding<weight = bf16>`
  }];
}
def Xfmr_EmbeddingParams : Xfmr_KernelParams<"Embedding", "embedding"> {
  let summary = "the facts of a dispatch of embedding";
  let description = [{
    - `width`: hidden size
    - `vocab`: ids are clamped into it
    - `first_row`, `table_rows`: the part of the table that is bound
    - `max_rows`
    - `out`: rows
    - `max_position`: rows of the position table

    `#xfmr.embedding_params<width = 16, vocab = 32, table_rows = 32, max_rows = 1, out = <stride = 16>>`
  }];
}

def Xfmr_GemmKernel : Xfmr_Kernel<"Gemm", "gemm"> {
  let summary = "rows times a weight";
  let description = [{
    - `weight`: `f32`, `f16`, `bf16`, `q8`, `q4`, `q8_wide`, `q4_wide`, `q8_fine`, `q6_fine`, `q4_fine`, `q8_fine_wide` or
      `q4_fine_wide`, how the matrix lies in memory
    - `epilogue`: what happens to the sum, in this order: `bias`, `activation` (`none`, `silu`, `gelu`,
      `gelu_tanh`, `relu`) or with `glu` the gated pair, `scale`, `softcap`, `residual`
    - `codes`: rows are read as `row_codes` left them, where the level has dots of bytes
    - `pairs`: rows are read as `row_pairs` left them, where the level has dots of bf16

    Constraints:
    - C1: `codes` only with a quantised weight
    - C2: `pairs` only with a weight of bf16

    `#xfmr.gemm<epilogue = <bias, activation = gelu>>`
  }];
}
def Xfmr_GemmParams : Xfmr_KernelParams<"Gemm", "gemm"> {
  let summary = "the facts of a dispatch of gemm";
  let description = [{
    - `n`, `k`: rows and columns of the weight
    - `max_rows`
    - `x`, `out`: rows
    - `epilogue`: `bias_offset`, `residual` (rows), `scale`, `softcap`, each of the part of that name

    `#xfmr.gemm_params<n = 64, k = 16, max_rows = 4, x = <stride = 16>, out = <stride = 64>>`
  }];
}

def Xfmr_GemvKernel : Xfmr_Kernel<"Gemv", "gemv"> {
  let summary = "one row times a weight";
  let description = [{
    - `weight`: `f32`, `f16`, `bf16`, `q8`, `q4`, `q8_wide`, `q4_wide`, `q8_fine`, `q6_fine`, `q4_fine`, `q8_fine_wide` or
      `q4_fine_wide`, how the matrix lies in memory
    - `rms_norm`: the row is normalised first
    - `unit_offset`: by 1 + the stored weight
    - `epilogue`: what happens to the sum, in this order: `bias`, `activation` (`none`, `silu`, `gelu`,
      `gelu_tanh`, `relu`) or with `glu` the gated pair, `scale`, `softcap`, `residual`
    - `codes`: the row is read as `row_codes` left it, where the level has dots of bytes

    Constraints:
    - C1: `unit_offset` only with `rms_norm`
    - C2: `codes` only with a quantised weight

    `#xfmr.gemv<weight = bf16, rms_norm, epilogue = <activation = silu, glu, residual>>`
  }];
}
def Xfmr_GemvParams : Xfmr_KernelParams<"Gemv", "gemv"> {
  let summary = "the facts of a dispatch of gemv";
  let description = [{
    - `n`, `k`: rows and columns of the weight
    - `x_offset`, `out_offset`: in floats
    - `eps`: of the norm
    - `epilogue`: `bias_offset`, `residual` (rows), `scale`, `softcap`, each of the part of that name

    `#xfmr.gemv_params<n = 64, k = 16>`
  }];
}

def Xfmr_HeadProductKernel : Xfmr_Kernel<"HeadProduct", "head_product"> {
  let summary = "of each head its own matrix times its columns";
  let description = [{
    - `weight`: `f32`, `f16` or `bf16`, how the matrices lie in memory
    - `single`: one row

    Constraints:
    - C1: `weight` is none that is quantised

    `#xfmr.head_product<weight = bf16, single = true>`
  }];
}
def Xfmr_HeadProductParams : Xfmr_KernelParams<"HeadProduct", "head_product"> {
  let summary = "the facts of a dispatch of head_product";
  let description = [{
    - `num_heads`
    - `n`, `k`: rows and columns of a head's matrix, multiples of 8
    - `copied`: columns right in front of a head's product, which are copied
    - `x_head`, `out_head`: columns between heads
    - `max_rows`
    - `x`, `out`: rows, from the product of the first head on

    `#xfmr.head_product_params<num_heads = 2, n = 8, k = 8, x_head = 8, out_head = 8, max_rows = 1, x = <stride = 16>,
    out = <stride = 16>>`
  }];
}

def Xfmr_LatentExpandKernel : Xfmr_Kernel<"LatentExpand", "latent_expand"> {
  let summary = "keys and values of all heads from the rows of a latent cache";
  let description = [{
    - `weight`: `f32`, `f16` or `bf16`, how the matrices lie in memory
    - `cache`: `f32`, `f16` or `q8`, the rows
    - `heads`: `f32` or `f16`, keys and values

    Constraints:
    - C1: `weight` is none that is quantised
    - C2: `heads` is not `q8`

    `#xfmr.latent_expand<weight = bf16, cache = f16, heads = f16>`
  }];
}
def Xfmr_LatentExpandParams : Xfmr_KernelParams<"LatentExpand", "latent_expand"> {
  let summary = "the facts of a dispatch of latent_expand";
  let description = [{
    - `num_heads`
    - `head_dim`, `rotary_dim`, `latent_dim`: multiples of 8
    - `max_context`

    `#xfmr.latent_expand_params<num_heads = 2, head_dim = 16, rotary_dim = 8, latent_dim = 24, max_context = 8>`
  }];
}

def Xfmr_MoeCombineKernel : Xfmr_Kernel<"MoeCombine", "moe_combine"> {
  let summary = "sum of the experts of each row, in slot order";
  let description = [{
    - `terms`: what joins the sum: `shared`, `shared_gate`, `residual`
    - `drop`: slots may be dropped

    Constraints:
    - C1: `shared_gate` only with `shared`

    `#xfmr.moe_combine<terms = <residual>>`
  }];
}
def Xfmr_MoeCombineParams : Xfmr_KernelParams<"MoeCombine", "moe_combine"> {
  let summary = "the facts of a dispatch of moe_combine";
  let description = [{
    - `width`
    - `top_k`
    - `max_rows`
    - `parts`, `out`: rows
    - `terms`: rows of `shared`, `gate`, `residual`

    `#xfmr.moe_combine_params<width = 16, top_k = 2, max_rows = 4, parts = <stride = 16>, out = <stride = 16>>`
  }];
}

def Xfmr_MoeGemmKernel : Xfmr_Kernel<"MoeGemm", "moe_gemm"> {
  let summary = "a product of the grouped route";
  let description = [{
    - `weight`: `f32`, `f16`, `bf16`, `q8`, `q4`, `q8_wide`, `q4_wide`, `q8_fine`, `q6_fine`, `q4_fine`, `q8_fine_wide` or
      `q4_fine_wide`, how the matrix lies in memory
    - `product`: `first` or `second`
    - `epilogue`: `bias`, `activation`, `glu`, `clamped` (gpt-oss: limits and slope of the params)
    - `weighted`: times the routing weight
    - `tile_rows`: of a tile of the plan
    - `codes`: rows are read as `row_codes` left them, where the level has dots of bytes
    - `pairs`: rows are read as `row_pairs` left them, where the level has dots of bf16

    Constraints:
    - C1: `tile_rows` is 8, 16, 32, 64 or 128
    - C2: `clamped` only with `glu`
    - C3: no `codes` where the first product is `weighted`
    - C4: `codes` only with a quantised weight
    - C5: no `pairs` where the first product is `weighted`
    - C6: `pairs` only with a weight of bf16

    `#xfmr.moe_gemm<weight = f16, epilogue = <glu>, tile_rows = 8>`
  }];
}
def Xfmr_MoeGemmParams : Xfmr_KernelParams<"MoeGemm", "moe_gemm"> {
  let summary = "the facts of a dispatch of moe_gemm";
  let description = [{
    - `layout`: of the plan: `experts`, `top_k`, `max_rows`, `tile_rows`, `per_part0` and `per_part1` (experts
      that one binding of each product holds)
    - `n`, `k`: of one expert
    - `x`, `out`: rows
    - `alpha`, `limit`: of a clamped epilogue
    - `part`: `index`, `first_expert`, `experts` of a weight in several bindings
    - `grid_at`: where the plan holds the grid, in words

    `#xfmr.moe_gemm_params<layout = <experts = 4, top_k = 2, max_rows = 8, tile_rows = 8>, n = 32, k = 16, x =
    <stride = 16>, out = <stride = 16>>`
  }];
}

def Xfmr_MoeGemvKernel : Xfmr_Kernel<"MoeGemv", "moe_gemv"> {
  let summary = "a product of the by-id route";
  let description = [{
    - `weight`: `f32`, `f16`, `bf16`, `q8`, `q4`, `q8_wide`, `q4_wide`, `q8_fine`, `q6_fine`, `q4_fine`, `q8_fine_wide` or
      `q4_fine_wide`, how the matrix lies in memory
    - `product`: `first` or `second`
    - `epilogue`: `bias`, `activation`, `glu`, `clamped` (gpt-oss: limits and slope of the params)
    - `weighted`: times the routing weight
    - `terms`: of the second product: `shared`, `shared_gate`, `residual`
    - `codes`: rows are read as `row_codes` left them, where the level has dots of bytes

    Constraints:
    - C1: `clamped` only with `glu`
    - C2: `shared_gate` only with `shared`
    - C3: `terms` only of the second product
    - C4: no `codes` where the first product is `weighted`
    - C5: `codes` only with a quantised weight

    `#xfmr.moe_gemv<product = second, weighted>`
  }];
}
def Xfmr_MoeGemvParams : Xfmr_KernelParams<"MoeGemv", "moe_gemv"> {
  let summary = "the facts of a dispatch of moe_gemv";
  let description = [{
    - `n`, `k`: of one expert
    - `top_k`
    - `max_rows`
    - `x`, `out`: rows
    - `alpha`, `limit`
    - `part`: `index`, `first_expert`, `experts` of a weight in several bindings
    - `terms`: rows of `shared`, `gate`, `residual`

    `#xfmr.moe_gemv_params<n = 16, k = 32, top_k = 2, max_rows = 1, x = <stride = 32>, out = <stride = 16>>`
  }];
}

def Xfmr_MoePlanKernel : Xfmr_Kernel<"MoePlan", "moe_plan"> {
  let summary = "from the experts of each row to tiles and grids of the grouped products";
  let description = [{
    - `drop`: experts have capacities
    - `stats`: counts and weight sums are gathered

    `#xfmr.moe_plan<stats>`
  }];
}
def Xfmr_MoePlanParams : Xfmr_KernelParams<"MoePlan", "moe_plan"> {
  let summary = "the facts of a dispatch of moe_plan";
  let description = [{
    - `layout`: of the plan: `experts`, `top_k`, `max_rows`, `tile_rows`, `per_part0` and `per_part1` (experts
      that one binding of each product holds)
    - `x_groups0`, `x_groups1`: x extents of the products
    - `capacity`, `capacity_factor`: with `drop`

    `#xfmr.moe_plan_params<layout = <experts = 4, top_k = 2, max_rows = 8>>`
  }];
}

def Xfmr_MoeRouterKernel : Xfmr_Kernel<"MoeRouter", "moe_router"> {
  let summary = "the experts of each row and their weights";
  let description = [{
    - `weight`: `f32`, `f16` or `bf16`, how the matrix lies in memory
    - `experts`, `top_k`
    - `score`: `softmax`, `sigmoid`, `sqrt_softplus`, `none` or `sparsemixer`
    - `post_topk`: over the chosen logits only
    - `norm`: weights divided by their sum
    - `groups`, `kept_groups`, `sum_top2`: selection by groups
    - `router_bias`, `selection_bias`
    - `rms_norm`, `unit_offset`: of the row first
    - `rows_per_group`: rows a workgroup takes
    - `stats`
    - `spread`: of one row, 16 experts a workgroup

    Constraints:
    - C1: 1 to 512 `experts`, `top_k` of them and at most 16
    - C2: `groups` divide the experts, `kept_groups` are of them
    - C3: `unit_offset` only with `rms_norm`
    - C4: `rows_per_group` is 1, 2 or 4
    - C5: a weight that is not quantised
    - C6: `spread` only with `rows_per_group` 1

    `#xfmr.moe_router<experts = 8, top_k = 2, norm>`
  }];
}
def Xfmr_MoeRouterParams : Xfmr_KernelParams<"MoeRouter", "moe_router"> {
  let summary = "the facts of a dispatch of moe_router";
  let description = [{
    - `k`: hidden size
    - `max_rows`
    - `x`, `normed`: rows
    - `eps`: of the norm
    - `norm_eps`, `scale`, `mixer_eps`: of the routing

    `#xfmr.moe_router_params<k = 16, max_rows = 4, x = <stride = 16>>`
  }];
}

def Xfmr_NormKernel : Xfmr_Kernel<"Norm", "norm"> {
  let summary = "rms_norm or layer_norm of rows or heads";
  let description = [{
    - `kind`: `rms` or `layer`
    - `bias`
    - `unit_offset`: times 1 + weight
    - `per_head`: of each of several groups
    - `last_row`: of row count - 1, to row 0

    `#xfmr.norm<kind = layer, bias>`
  }];
}
def Xfmr_NormParams : Xfmr_KernelParams<"Norm", "norm"> {
  let summary = "the facts of a dispatch of norm";
  let description = [{
    - `width`: of a group
    - `groups`
    - `max_rows`
    - `x`, `out`: rows
    - `eps`

    `#xfmr.norm_params<width = 16, max_rows = 4, x = <stride = 16>, out = <stride = 16>>`
  }];
}

def Xfmr_RopeCacheKernel : Xfmr_Kernel<"RopeCache", "rope_cache"> {
  let summary = "norms of heads, rotary embedding, and k and v into the cache";
  let description = [{
    - `cache`: `f32`, `f16` or `q8`
    - `style`: `none`, `half` or `interleaved`; `half` unless given
    - `q_norm`, `k_norm`
    - `unit_offset`: the norms are times 1 + weight
    - `latent`: one row of the cache, k turned and v behind it; heads of q turn alike

    Constraints:
    - C1: `unit_offset` only with `q_norm` or `k_norm`
    - C2: `latent` only with a `style`, and without norms

    `#xfmr.rope_cache<style = interleaved>`
  }];
}
def Xfmr_RopeCacheParams : Xfmr_KernelParams<"RopeCache", "rope_cache"> {
  let summary = "the facts of a dispatch of rope_cache";
  let description = [{
    - `num_heads`, `num_kv_heads`
    - `head_dim`, `rotary_dim`
    - `max_context`
    - `max_rows`
    - `q`, `k`, `v`: rows
    - `eps`: of the norms

    - `q_head`: with `latent`, columns between heads of q

    `#xfmr.rope_cache_params<num_heads = 2, num_kv_heads = 1, head_dim = 8, rotary_dim = 8, max_context = 8,
    max_rows = 1, q = <stride = 16>, k = <stride = 8>, v = <stride = 8>>`
  }];
}

def Xfmr_RowCodesKernel : Xfmr_Kernel<"RowCodes", "row_codes"> {
  let summary = "rows of activations as codes of eight bits, for products with quantised weights";
  let description = [{
    Only on the CPU.

    - `halves`: sums of 16 columns too, which weights with scales of 16 columns need

    `#xfmr.row_codes<>`
  }];
}
def Xfmr_RowCodesParams : Xfmr_KernelParams<"RowCodes", "row_codes"> {
  let summary = "the facts of a dispatch of row_codes";
  let description = [{
    - `width`
    - `max_rows`: tokens
    - `rows_a_token`: 1, or the experts of a token
    - `x`: rows

    `#xfmr.row_codes_params<width = 256, max_rows = 4, x = <stride = 256>>`
  }];
}

def Xfmr_RowPairsKernel : Xfmr_Kernel<"RowPairs", "row_pairs"> {
  let summary = "rows of activations as pairs of bf16, for products of several rows with weights of bf16";
  let description = [{
    Only on the CPU.

    `#xfmr.row_pairs`
  }];
}
def Xfmr_RowPairsParams : Xfmr_KernelParams<"RowPairs", "row_pairs"> {
  let summary = "the facts of a dispatch of row_pairs";
  let description = [{
    - `width`
    - `max_rows`: tokens
    - `rows_a_token`: 1, or the experts of a token
    - `x`: rows

    `#xfmr.row_pairs_params<width = 256, max_rows = 4, x = <stride = 256>>`
  }];
}

def Xfmr_SampleKernel : Xfmr_Kernel<"Sample", "sample"> {
  let summary = "picks the next id";
  let description = [{
    - `part`: `whole`, or of many workgroups `best`, `cut` or `pick`

    `#xfmr.sample<part = cut>`
  }];
}
def Xfmr_SampleParams : Xfmr_KernelParams<"Sample", "sample"> {
  let summary = "the facts of a dispatch of sample";
  let description = [{
    - `vocab`
    - `row_stride`: floats between rows of logits
    - `output_capacity`: ids the output holds
    - `slice`: ids a workgroup of a part has
    - `round`: of a cut

    `#xfmr.sample_params<vocab = 32, row_stride = 32, output_capacity = 8>`
  }];
}

def Xfmr_TopKKernel : Xfmr_Kernel<"TopK", "top_k"> {
  let summary = "the largest columns of rows";
  let description = [{
    - `top`: how many, the largest first: their numbers, then their columns
    - `magnitude`: of the largest magnitude

    Constraints:
    - C1: `top` is 1 to 256

    `#xfmr.top_k<top = 8, magnitude>`
  }];
}
def Xfmr_TopKParams : Xfmr_KernelParams<"TopK", "top_k"> {
  let summary = "the facts of a dispatch of top_k";
  let description = [{
    - `width`: `top` to 2^24
    - `max_rows`
    - `x`: rows

    `#xfmr.top_k_params<width = 352, max_rows = 4, x = <stride = 352>>`
  }];
}

#endif // XFMR_KERNELS
