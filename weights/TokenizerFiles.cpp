// See TokenizerFiles.h.
#include "weights/TokenizerFiles.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/MappedFile.h"
#include "weights/GgufTokenizer.h"
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace xfmr {

// The text of a file that need not be there.
static Status readOptional(const fs::path &path, std::string &text, bool isJson = true) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Status::success();
  MappedFile file;
  if (Status status = MappedFile::open(path.string(), file); status.failed())
    return status;
  const std::string kind = file.size() ? fileKind(file.data(), file.size()) : "";
  if (!kind.empty() && kind != "JSON text") // which a template looks like too
    return Status::error("\"" + path.string() + "\" is " + kind + ", expected " +
                         (isJson ? "JSON text" : "a template"));
  text.assign(reinterpret_cast<const char *>(file.data()), file.size());
  return Status::success();
}

static Status readFolder(const fs::path &folder, TokenizerFiles &out) {
  out.place = (folder / artifact::kTokenizerTensor).string();
  Status status = readOptional(folder / artifact::kTokenizerTensor, out.tokenizer);
  if (out.tokenizer.empty())
    out.missing = "there is no \"" + out.place + "\"";
  if (status.ok())
    status = readOptional(folder / artifact::kTokenizerConfigTensor, out.config);
  if (status.ok())
    status = readOptional(folder / artifact::kChatTemplateTensor, out.chatTemplate, /*isJson=*/false);
  return status.ok() ? readOptional(folder / artifact::kGenerationConfigTensor, out.generation) : status;
}

// What tokenizer_config.json would say: the tokens that begin and end a text, the chat template.
static std::string configOf(const GgufFile &file) {
  nlohmann::json config = nlohmann::json::object();
  const GgufValue *tokens = file.find("tokenizer.ggml.tokens");
  for (const char *name : {"bos", "eos"}) {
    const GgufValue *id = file.find("tokenizer.ggml." + std::string(name) + "_token_id");
    if (!tokens || !tokens->list() || !id || !id->integer() || *id->integer() < 0 ||
        *id->integer() >= static_cast<int64_t>(tokens->list()->size()))
      continue;
    if (const std::string *token = (*tokens->list())[*id->integer()].text())
      config[std::string(name) + "_token"] = *token;
  }
  if (const GgufValue *chat = file.find("tokenizer.chat_template"); chat && chat->text())
    config["chat_template"] = *chat->text();
  return config.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

static Status readGguf(const std::string &path, TokenizerFiles &out) {
  GgufFile file;
  if (Status status = GgufFile::open(path, file); status.failed())
    return status;
  const GgufValue *own = file.find("tokenizer.huggingface.json");
  if (own && own->text()) {
    out.place = path;
    out.tokenizer = *own->text();
    out.config = configOf(file);
    return Status::success();
  }
  std::string why;
  out.tokenizer = tokenizerOf(file, why);
  if (!out.tokenizer.empty()) {
    out.place = path;
    out.config = configOf(file);
    return Status::success();
  }
  const bool hasOne = !why.empty();
  why = "\"" + path + "\"" + (!hasOne ? " holds no tokenizer" : ": " + why);
  if (Status status = readFolder(fs::path(path).parent_path(), out); status.failed())
    return status;
  if (!out.tokenizer.empty())
    out.warning = why + ": the tokenizer is \"" + out.place + "\" beside it, which may belong to another model";
  else
    out.missing = why + ", and there is no tokenizer.json beside it";
  if (out.tokenizer.empty() && hasOne)
    out.warning = "no tokenizer: " + out.missing;
  return Status::success();
}

Status readTokenizerFiles(const std::string &base, TokenizerFiles &out) {
  out = TokenizerFiles();
  const fs::path path(base);
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return readFolder(path, out);
  if (path.extension() == ".gguf" && fs::exists(path, ignored))
    return readGguf(base, out);
  return readFolder(path.parent_path(), out);
}

} // namespace xfmr
