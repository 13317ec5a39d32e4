// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --xfmr-split-phases

// expected-error @below {{expected one xfmr.model, found 0}}
module {
}

// -----

// expected-error @below {{yields 8 columns from tokens that see later ones, expected hidden states (4): other heads of encoders are not supported}}
xfmr.model @bidirectional (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "bert", hidden_size = 4, vocab_size = 8, max_position = 64>
    sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %a = xfmr.attention %h, %h, %h heads 1 kv_heads 1 head_dim 4 scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}

// -----

// expected-error @below {{expected an embedding and blocks of one result before the head}}
xfmr.model @two_results (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 64> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y:2 = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  ^bb0(%h: tensor<?x4xf32>):
    %s = xfmr.add %h, %h : tensor<?x4xf32>
    xfmr.yield %h, %s : tensor<?x4xf32>, tensor<?x4xf32>
  }
  %logits = xfmr.linear %y#0, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}

// -----

xfmr.model @past (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 64> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %s = xfmr.add %h, %h : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  // expected-error @below {{the head may use only the result of the last block}}
  %z = xfmr.add %x, %y : tensor<?x4xf32>
  %logits = xfmr.linear %z, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}

// -----

xfmr.model @foreign (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 64>
    sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error @below {{has no lowering: no kernel computes it}}
  %y = arith.negf %x : tensor<?x4xf32>
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}

// -----

// expected-remark @below {{context limited to 8192 of 8193 positions; --max-context chooses another}}
xfmr.model @long (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 8193> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %logits = xfmr.linear %x, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
