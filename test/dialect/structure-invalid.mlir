// One case a numbered constraint of Structure.td and of the config attribute.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics

// model C1
// expected-error @+1 {{body must have one argument, the token ids tensor<?xi32>, or two, the source in front}}
xfmr.model @m (%tokens: tensor<?x4xf32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  xfmr.yield %tokens : tensor<?x4xf32>
}
// -----
// model C2: no yield of the output
// expected-error @+1 {{body must end in xfmr.yield of one value of type 'tensor<?x8xf32>'}}
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  %w = xfmr.weight "w" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
// -----
// model C3
// expected-error @+1 {{output must be tensor<?x8xf32> (logits) or tensor<?x4xf32> (hidden states), got 'tensor<?x5xf32>'}}
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x5xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  %w = xfmr.weight "w" : tensor<8x5xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x5xf32>) -> tensor<?x5xf32>
  xfmr.yield %x : tensor<?x5xf32>
}
// -----
// model C4
// expected-error @+1 {{source 'base' must map to a string}}
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = 3} {
  %w = xfmr.weight "w" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
// -----
// model C5: an unnamed source; an empty dictionary allows base
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  // expected-error @+1 {{names source 'adapter', which the model does not have}}
  %w = xfmr.weight "w" from "adapter" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
// -----
// block C1
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{body arguments 'tensor<?x5xf32>' must have the types of the inputs 'tensor<?x4xf32>'}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x5xf32> {
  ^bb0(%h: tensor<?x5xf32>):
    xfmr.yield %h : tensor<?x5xf32>
  }
  return
}
// -----
// block C2
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{body must end in xfmr.yield of values of types 'tensor<?x5xf32>'}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x5xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    xfmr.yield %h : tensor<?x4xf32>
  }
  return
}
// -----
// block C3
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{layer must not be negative, got -1}}
  %y = xfmr.block -1 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    xfmr.yield %h : tensor<?x4xf32>
  }
  return
}
// -----
// a block sees nothing from outside
func.func @f(%x: tensor<?x4xf32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    // expected-error @+1 {{using value defined outside the region}}
    %r = xfmr.add %x, %h : tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  return
}
// -----
// config: sizes
// expected-error @+1 {{hidden_size, vocab_size and max_position must be positive, got 4, 0 and 16}}
func.func private @f() attributes {c = #xfmr.config<architecture = "llama", hidden_size = 4, vocab_size = 0, max_position = 16>}
// -----
// config: tokens
// expected-error @+1 {{bos_token 8 is outside the vocabulary of 8}}
func.func private @f() attributes {c = #xfmr.config<architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16, bos_token = 8>}
// -----
// config: tokens
// expected-error @+1 {{eos token -1 is outside the vocabulary of 8}}
func.func private @f() attributes {c = #xfmr.config<architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16, eos_tokens = [1, -1]>}
// -----
// probe C3
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  %w = xfmr.weight "w" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-note @+1 {{the first}}
  xfmr.probe "x" %x : tensor<?x4xf32>
  // expected-error @+1 {{is the second one named 'x'}}
  xfmr.probe "x" %x : tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
