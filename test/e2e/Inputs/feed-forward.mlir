// A block of tales-dense without its attention.
xfmr.model @feed_forward (%tokens: tensor<?xi32>) -> tensor<?x1024xf32>
    config <architecture = "llama", hidden_size = 128, vocab_size = 1024, max_position = 256> sources {base = "."} {
  %table = xfmr.weight "model.embed_tokens.weight" : tensor<1024x128xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<1024x128xf32>) -> tensor<?x128xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x128xf32>) -> tensor<?x128xf32> {
  ^bb0(%h: tensor<?x128xf32>):
    %wn = xfmr.weight "model.layers.0.post_attention_layernorm.weight" : tensor<128xf32>
    %wg = xfmr.weight "model.layers.0.mlp.gate_proj.weight" : tensor<352x128xf32>
    %wu = xfmr.weight "model.layers.0.mlp.up_proj.weight" : tensor<352x128xf32>
    %wd = xfmr.weight "model.layers.0.mlp.down_proj.weight" : tensor<128x352xf32>
    %n = xfmr.rms_norm %h, %wn eps 1.0e-5 : tensor<?x128xf32>, tensor<128xf32>
    %g = xfmr.linear %n, %wg : (tensor<?x128xf32>, tensor<352x128xf32>) -> tensor<?x352xf32>
    %a = xfmr.activation silu %g : tensor<?x352xf32>
    %u = xfmr.linear %n, %wu : (tensor<?x128xf32>, tensor<352x128xf32>) -> tensor<?x352xf32>
    %m = xfmr.mul %a, %u : tensor<?x352xf32>
    %d = xfmr.linear %m, %wd : (tensor<?x352xf32>, tensor<128x352xf32>) -> tensor<?x128xf32>
    %r = xfmr.add %h, %d : tensor<?x128xf32>
    xfmr.yield %r : tensor<?x128xf32>
  }
  %w = xfmr.weight "model.norm.weight" : tensor<128xf32>
  %z = xfmr.rms_norm %y, %w eps 1.0e-5 : tensor<?x128xf32>, tensor<128xf32>
  %l = xfmr.linear %z, %table : (tensor<?x128xf32>, tensor<1024x128xf32>) -> tensor<?x1024xf32>
  xfmr.yield %l : tensor<?x1024xf32>
}
