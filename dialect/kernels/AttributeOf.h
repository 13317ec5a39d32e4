// The attribute of a spec or of params, in C++: attributeOf(context, GemvSpec()) is a GemvAttr.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

template <class S> struct AttributeOf;
#define XFMR_ATTRIBUTE_OF(Name)                                                                    \
  template <> struct AttributeOf<codegen::Name##Spec> { using type = Name##Attr; };                \
  template <> struct AttributeOf<codegen::Name##Params> { using type = Name##ParamsAttr; };
XFMR_KERNELS(XFMR_ATTRIBUTE_OF)
#undef XFMR_ATTRIBUTE_OF

template <class S> typename AttributeOf<S>::type attributeOf(mlir::MLIRContext *context, const S &fields) {
  return AttributeOf<S>::type::get(context, fields);
}

} // namespace xfmr
