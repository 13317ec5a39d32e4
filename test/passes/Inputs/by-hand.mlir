// A model as one writes it by hand: no checkpoint, and no norm before the head.
xfmr.model @by_hand (%tokens: tensor<?xi32>) -> tensor<?x64xf32>
    config <architecture = "llama", hidden_size = 16, vocab_size = 64, max_position = 32> sources {} {
  %table = xfmr.weight "embed" : tensor<64x16xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<64x16xf32>) -> tensor<?x16xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x16xf32>) -> tensor<?x16xf32> {
  ^bb0(%h: tensor<?x16xf32>):
    %wq = xfmr.weight "q" : tensor<16x16xf32>
    %wk = xfmr.weight "k" : tensor<8x16xf32>
    %wv = xfmr.weight "v" : tensor<8x16xf32>
    %norm = xfmr.weight "norm" : tensor<16xf32>
    %up = xfmr.weight "up" : tensor<24x16xbf16>
    %down = xfmr.weight "down" : tensor<16x24xbf16>
    %n = xfmr.rms_norm %h, %norm eps 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>
    %q = xfmr.linear %n, %wq : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %n, %wk : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %v = xfmr.linear %n, %wv : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %qr = xfmr.rope half %q head_dim 4 theta 1.0e4 : tensor<?x16xf32>
    %kr = xfmr.rope half %k head_dim 4 theta 1.0e4 : tensor<?x8xf32>
    %a = xfmr.attention %qr, %kr, %v heads 4 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
    %h1 = xfmr.add %h, %a : tensor<?x16xf32>
    %u = xfmr.linear %h1, %up : (tensor<?x16xf32>, tensor<24x16xbf16>) -> tensor<?x24xf32>
    %g = xfmr.activation relu %u : tensor<?x24xf32>
    %d = xfmr.linear %g, %down : (tensor<?x24xf32>, tensor<16x24xbf16>) -> tensor<?x16xf32>
    %h2 = xfmr.add %h1, %d : tensor<?x16xf32>
    xfmr.yield %h2 : tensor<?x16xf32>
  }
  %logits = xfmr.linear %y, %table : (tensor<?x16xf32>, tensor<64x16xf32>) -> tensor<?x64xf32>
  xfmr.yield %logits : tensor<?x64xf32>
}
