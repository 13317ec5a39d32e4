// An adapter as PEFT writes it: adapter_config.json and the file of its matrices.
#include "import/Adapter.h"
#include "test/fuzz/Fuzz.h"

namespace xfmr::fuzz {

std::vector<std::string> seeds() {
  return {
      joined(
          {R"({"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":["q_proj"],"bias":"none","use_rslora":false,)"
           R"("rank_pattern":{"layers.[01].self_attn.q_proj":2},"alpha_pattern":{"^x":8},"init_lora_weights":"gaussian","use_dora":false})",
           safetensors(
               R"({"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
               R"("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight":{"dtype":"F16","shape":[4,2],"data_offsets":[24,40]}})",
               std::string(40, '\x3c'))}),
  };
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("peft_type LORA r lora_alpha rank_pattern alpha_pattern use_dora use_rslora modules_to_save "
              "init_lora_weights pissa olora target_parameters bias (a*)*b (((((((((((((((((((((a a{1,9999} [z-a] "
              "\\\\1(a) .*.*.*.*.*.*x (?=a)* base_model.model.m.lora_A.weight base_model.model.m.lora_B.weight "
              "base_model.model.m.lora_B.bias base_model.model.m.lora_embedding_A "
              "base_model.model.m.lora_embedding_B base_model.model.m.lora_magnitude_vector F32 BF16 U8");
  std::vector<std::string> files = parted(data, 2);
  if (random.oneIn(2))
    files[0] = mutatedJson(files[0], random, words);
  else
    files[1] = mutatedSafetensors(files[1], random, words);
  return joined(files);
}

std::string readOnce(const std::string &data) {
  const std::vector<std::string> files = parted(data, 2);
  const std::string folder = std::string(kPath) + "adapter";
  const File config(folder + "/adapter_config.json", files[0]),
      weights(folder + "/adapter_model.safetensors", files[1]);
  Adapter opened;
  if (Status status = Adapter::open(folder, opened); status.failed())
    return status.message();
  opened.use("model.layers.0.self_attn.q_proj");
  opened.firstUnused();
  return {};
}

} // namespace xfmr::fuzz
