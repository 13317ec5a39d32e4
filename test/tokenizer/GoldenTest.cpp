// Ids that @huggingface/tokenizers 0.2.0 gives with the real data of five models (golden/ holds the
// part of each vocabulary that these texts touch, ids and ranks kept), and the prompts of the
// bundled model and of those in ../shared where that folder exists.
#include "test/tokenizer/Fixtures.h"

#include <iostream>

namespace xfmr::tokenizer::test {

namespace {

struct Golden {
  const char *file;
  std::vector<Ids> ids; // by text
};

const std::vector<std::string> kTexts = {
    "Hello, world!",    " 12345 tokens",   "   three spaces", "def f(x):\n    return x  # ok\n",
    "I'll don't WE'VE", "<|eot_id|> text",
};

const std::vector<Golden> kGolden = {
    {"llama3",
     {{9906, 11, 1917, 0},
      {220, 4513, 1774, 11460},
      {256, 2380, 12908},
      {755, 282, 2120, 997, 262, 471, 865, 220, 674, 5509, 198},
      {40, 3358, 1541, 956, 20255, 6, 4592},
      {128009, 1495}}},
    {"qwen3",
     {{9707, 11, 1879, 0},
      {220, 16, 17, 18, 19, 20, 11211},
      {256, 2326, 12621},
      {750, 282, 2075, 982, 262, 470, 856, 220, 671, 5394, 198},
      {40, 3278, 1513, 944, 19677, 6, 4491},
      {27, 91, 68, 354, 842, 91, 29, 1467}}},
    {"gptoss",
     {{13225, 11, 2375, 0},
      {220, 7633, 2548, 20290},
      {256, 3407, 18608},
      {1314, 285, 4061, 1883, 271, 622, 1215, 220, 1069, 4763, 198},
      {67504, 4128, 26919, 6, 19511},
      {27, 91, 68, 346, 1537, 91, 29, 2201}}},
    {"gemma3",
     {{9259, 236764, 1902, 236888},
      {236743, 236770, 236778, 236800, 236812, 236810, 21739},
      {139, 19891, 9952},
      {2063, 517, 236769, 236781, 1473, 107, 140, 2060, 1123, 138, 236865, 7546, 107},
      {236777, 236789, 859, 1537, 236789, 236745, 19716, 236789, 11818},
      {236820, 236909, 236744, 557, 236779, 547, 111038, 1816}}},
    {"mistral",
     {{22557, 28725, 1526, 28808},
      {259, 28740, 28750, 28770, 28781, 28782, 16246},
      {2287, 1712, 10599},
      {801, 285, 28732, 28744, 1329, 13, 2287, 604, 1318, 28705, 422, 3614, 13},
      {315, 28742, 584, 949, 28742, 28707, 21026, 28742, 3728},
      {523, 28766, 28706, 322, 28730, 313, 28766, 28767, 2245}}},
};

} // namespace

TEST(Golden, IdsAndRoundTrips) {
  for (const Golden &golden : kGolden) {
    Tokenizer tokenizer;
    std::string error;
    std::string json = readFile(std::string(GOLDEN_FOLDER) + "/" + golden.file + ".json");
    ASSERT_TRUE(Tokenizer::load(json, "", tokenizer, error)) << golden.file << ": " << error;
    for (size_t i = 0; i < kTexts.size(); ++i) {
      SCOPED_TRACE(std::string(golden.file) + " on '" + kTexts[i] + "'");
      EXPECT_EQ(encode(tokenizer, kTexts[i]), golden.ids[i]);
      EXPECT_EQ(tokenizer.decode(golden.ids[i], /*skipSpecial=*/false), kTexts[i]);
      DecodeStream decoder(tokenizer, /*skipSpecial=*/false);
      std::string text;
      for (int32_t id : golden.ids[i])
        text += decoder.push(id);
      EXPECT_EQ(text + decoder.flush(), kTexts[i]);
    }
  }
}

TEST(Golden, PromptsOfTheModels) {
  int models = 0;
  const std::string shared = std::string(SHARED_MODELS) + "/";
  for (const std::string &folder : {std::string(MODELS) + "/tales-dense", shared + "tales-moe",
                                    shared + "tales-gpt2", shared + "stories260K"}) {
    std::string prompts = readFile(folder + "/expected/prompts.json");
    if (prompts.empty()) {
      std::cout << "skipped " << folder << ": it does not exist\n";
      continue;
    }
    ++models;
    Tokenizer tokenizer;
    std::string error;
    ASSERT_TRUE(Tokenizer::load(readFile(folder + "/tokenizer.json"),
                                readFile(folder + "/tokenizer_config.json"), tokenizer, error))
        << error;
    int texts = 0;
    const Json expected = Json::parse(prompts);
    for (const Json &prompt : expected["prompts"]) {
      if (!prompt.contains("text") || !prompt["text"].is_string())
        continue;
      SCOPED_TRACE(folder + " " + prompt["name"].get<std::string>());
      Ids ids = prompt["ids"].get<Ids>(), continuation = prompt["greedy_ids"].get<Ids>();
      EXPECT_EQ(encode(tokenizer, prompt["text"], /*addSpecial=*/true), ids);
      ids.insert(ids.end(), continuation.begin(), continuation.end());
      EXPECT_EQ(tokenizer.decode(ids, /*skipSpecial=*/true), prompt["full_text"]);
      EXPECT_EQ(joined(stream(tokenizer, ids)), prompt["full_text"]);
      ++texts;
    }
    EXPECT_GT(texts, 0);
  }
  if (models == 0)
    GTEST_SKIP() << "no models in " << MODELS << " and " << SHARED_MODELS;
}

} // namespace xfmr::tokenizer::test
