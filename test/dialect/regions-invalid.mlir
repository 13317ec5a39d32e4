// Each constraint of fused regions (dialect/ops/Regions.td), broken once.
// RUN: xfmr-opt --split-input-file --verify-diagnostics %s

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C1
    // expected-error @below {{body arguments 'tensor<2x16xf32>' must have the types of the inputs 'tensor<1x16xf32>'}}
    %y = xfmr.fused elementwise (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<2x16xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<2x16xf32>
      xfmr.yield %s : tensor<2x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C2
    // expected-error @below {{body must end in xfmr.yield of values of types 'tensor<1x8xf32>'}}
    %y = xfmr.fused elementwise (%x) : (tensor<1x16xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C3
    // expected-error @below {{layer must not be negative, got -1}}
    %y = xfmr.fused elementwise layer -1 (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C4
    // expected-error @below {{of kind elementwise must hold one op of that kind, found 2}}
    %y = xfmr.fused elementwise (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      %t = xfmr.scale %a by 3.0 : tensor<1x16xf32>
      %s = xfmr.scale %t by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C4
    // expected-error @below {{of kind product must hold one op of that kind, found 0}}
    %y = xfmr.fused product (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}

// -----

xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.phase decode rows 1 {
  ^bb0(%x: tensor<1x16xf32>):
    // fused C4
    // expected-error @below {{of kind norm may not hold xfmr.scale}}
    %y = xfmr.fused norm (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      // expected-note @below {{the op is here}}
      %s = xfmr.scale %a by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    xfmr.yield %y : tensor<1x16xf32>
  }
}
