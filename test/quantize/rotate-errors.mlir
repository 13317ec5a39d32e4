// Residual streams that hadamard=true does not turn: at whose feet.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(xfmr-make-weights{out=%t.safetensors},xfmr-quantize{hadamard=true})'

xfmr.model @positions (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "gpt2", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %places = xfmr.weight "places" : tensor<8x4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: it adds positions}}
  %x = xfmr.embedding %tokens, %table positions %places : (tensor<?xi32>, tensor<4x4xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}

// -----

// expected-error@+1 {{hadamard=true: expected one embedding, found 2}}
xfmr.model @tables (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %z = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %m = xfmr.rms_norm %z, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %p = xfmr.add %n, %m : tensor<?x4xf32>
  %logits = xfmr.linear %p, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @parts (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<2xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: a norm of its parts reads it}}
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<2xf32>
  %logits = xfmr.linear %n, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @used (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: what is added to it has other uses}}
  %d = xfmr.linear %n, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = xfmr.add %x, %d : tensor<?x4xf32>
  %m = xfmr.rms_norm %r, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %p = xfmr.add %m, %d : tensor<?x4xf32>
  xfmr.yield %p : tensor<?x4xf32>
}

// -----

xfmr.model @normed (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %d = xfmr.linear %n, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: what is added to it is no product}}
  %dn = xfmr.rms_norm %d, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %r = xfmr.add %x, %dn : tensor<?x4xf32>
  %m = xfmr.rms_norm %r, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %m, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @through_a_norm (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: an op that is no product reads it through a norm}}
  %s = xfmr.activation silu %n : tensor<?x4xf32>
  %logits = xfmr.linear %s, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @in_an_expert (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %r = xfmr.weight "r" : tensor<2x4xf32>
  %w = xfmr.weight "w" : tensor<2x4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %m = xfmr.moe %n router %r experts(%w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
    // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: an op that is no product reads it in an expert}}
    %s = xfmr.activation silu %t : tensor<?x4xf32>
    %o = xfmr.linear %s, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  %y = xfmr.add %x, %m : tensor<?x4xf32>
  %ny = xfmr.rms_norm %y, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %ny, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @ends_in_no_product (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %r = xfmr.weight "r" : tensor<2x4xf32>
  %w = xfmr.weight "w" : tensor<2x4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: its experts end in no product}}
  %m = xfmr.moe %n router %r experts(%w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
    %o = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %s = xfmr.activation silu %o : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  %y = xfmr.add %x, %m : tensor<?x4xf32>
  %ny = xfmr.rms_norm %y, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %ny, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @shared (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %r = xfmr.weight "r" : tensor<2x4xf32>
  %w = xfmr.weight "w" : tensor<2x4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %m = xfmr.moe %n router %r experts(%w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
    // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: two products share a matrix}}
    %i = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %o = xfmr.linear %i, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  %y = xfmr.add %x, %m : tensor<?x4xf32>
  %ny = xfmr.rms_norm %y, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %ny, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}

// -----

xfmr.model @expression (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "mixtral", hidden_size = 4, vocab_size = 4, max_position = 8> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<4x4xf32>
  %g = xfmr.weight "g" : tensor<4xf32>
  %r = xfmr.weight "r" : tensor<2x4xf32>
  %w = xfmr.weight "w" : tensor<2x4x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %m = xfmr.moe %n router %r experts(%w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
    %es = xfmr.weight_scale %e by 2.0 : tensor<4x4xf32>
    // expected-error@+1 {{hadamard=true: the residual stream cannot be rotated: the matrix of an expert is an expression over slices}}
    %o = xfmr.linear %t, %es : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  %y = xfmr.add %x, %m : tensor<?x4xf32>
  %ny = xfmr.rms_norm %y, %g eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %ny, %table : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %logits : tensor<?x4xf32>
}
