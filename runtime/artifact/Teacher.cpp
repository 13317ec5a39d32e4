// See Teacher.h.
#include "runtime/artifact/Teacher.h"
#include "runtime/artifact/Safetensors.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <xxhash.h>

namespace xfmr {
namespace {

constexpr const char *kFormat = "xfmr.teacher", *kVersion = "1";

// The facts of a run as metadata, in the order in which differences are reported.
struct Fact {
  const char *key, *what;
  int64_t TeacherRun::*number;
  std::string TeacherRun::*text;
};
const Fact kFacts[] = {{"model", "another model", nullptr, &TeacherRun::model},
                       {"text", "another text", nullptr, &TeacherRun::text},
                       {"vocab", "another vocabulary", &TeacherRun::vocab, nullptr},
                       {"top_k", "another top-k", &TeacherRun::topK, nullptr},
                       {"window", "another window", &TeacherRun::window, nullptr},
                       {"windows", "another number of windows", &TeacherRun::windows, nullptr},
                       {"shard_windows", "other shards", &TeacherRun::shardWindows, nullptr}};

std::string valueOf(const TeacherRun &run, const Fact &fact) {
  return fact.number ? std::to_string(run.*fact.number) : run.*fact.text;
}

// A tensor of a shard, by the shape [W, …].
struct Part {
  const char *name;
  DType dtype;
  std::vector<int64_t> shape;
};
std::vector<Part> partsOf(const TeacherRun &run, int64_t windows) {
  return {{"ids", DType::i32, {windows, run.window}},
          {"tokens", DType::i32, {windows, run.positions(), run.topK}},
          {"log_probabilities", DType::f32, {windows, run.positions(), run.topK}},
          {"left", DType::f64, {windows, run.positions()}},
          {"next", DType::f32, {windows, run.positions()}}};
}

Status readRun(const SafetensorsFile &file, TeacherRun &out) {
  auto get = [&](const char *key) {
    auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  const std::string place = "\"" + file.path() + "\"";
  if (get(kFormat) != kVersion)
    return Status::error(place + " is no teacher's shard: metadata \"" + kFormat + "\" is \"" + get(kFormat) +
                         "\", expected \"" + kVersion + "\"");
  for (const Fact &fact : kFacts) {
    const std::string value = get(fact.key);
    if (fact.text)
      out.*fact.text = value;
    else if (value.empty() || value.size() > 15 || value.find_first_not_of("0123456789") != std::string::npos)
      return Status::error(place + ": metadata \"" + fact.key + "\" is \"" + value + "\", expected a number");
    else
      out.*fact.number = std::stoll(value);
  }
  if (out.vocab < 1 || out.topK < 1 || out.topK > out.vocab || out.window < 2 || out.windows < 1 ||
      out.shardWindows < 1)
    return Status::error(place + ": its numbers are of no run: vocab " + std::to_string(out.vocab) + ", top_k " +
                         std::to_string(out.topK) + ", window " + std::to_string(out.window) + ", windows " +
                         std::to_string(out.windows) + ", shard_windows " + std::to_string(out.shardWindows));
  return Status::success();
}

Status checkSame(const SafetensorsFile &file, const TeacherRun &run) {
  TeacherRun found;
  if (Status status = readRun(file, found); status.failed())
    return status;
  for (const Fact &fact : kFacts)
    if (valueOf(found, fact) != valueOf(run, fact))
      return Status::error("\"" + file.path() + "\" is of " + fact.what + ": " + valueOf(found, fact) + ", expected " +
                           valueOf(run, fact));
  return Status::success();
}

template <typename T> Status readPart(const SafetensorsFile &file, const Part &part, std::vector<T> &out) {
  const TensorView *tensor = file.find(part.name);
  const std::string what = "\"" + file.path() + "\": tensor \"" + part.name + "\"";
  if (!tensor)
    return Status::error(what + " is missing");
  if (tensor->dtype != part.dtype || tensor->shape != part.shape)
    return Status::error(what + " is " + std::string(dtypeName(tensor->dtype)) + " " + shapeText(tensor->shape) +
                         ", expected " + std::string(dtypeName(part.dtype)) + " " + shapeText(part.shape));
  out.resize(tensor->byteSize / sizeof(T));
  std::memcpy(out.data(), tensor->data, tensor->byteSize);
  return Status::success();
}

} // namespace

int64_t TeacherRun::windowsOf(int64_t shard) const {
  return std::min(shardWindows, windows - shard * shardWindows);
}

std::string TeacherRun::path(const std::string &folder, int64_t shard) const {
  char name[64];
  std::snprintf(name, sizeof name, "/teacher-%05lld-of-%05lld.safetensors", static_cast<long long>(shard + 1),
                static_cast<long long>(shards()));
  return folder + name;
}

void TeacherShard::add(const TeacherRun &run, const float *logits, int32_t following) {
  const double largest = *std::max_element(logits, logits + run.vocab);
  std::vector<int32_t> order(run.vocab);
  std::iota(order.begin(), order.end(), 0);
  auto before = [&](int32_t a, int32_t b) { return logits[a] > logits[b] || (logits[a] == logits[b] && a < b); };
  std::nth_element(order.begin(), order.begin() + run.topK - 1, order.end(), before);
  std::sort(order.begin(), order.begin() + run.topK, before);
  // Small terms first: the others, then the chosen from the least probable on.
  double others = 0, sum = 0;
  for (int64_t i = run.topK; i < run.vocab; ++i)
    others += std::exp(logits[order[i]] - largest);
  sum = others;
  for (int64_t i = run.topK - 1; i >= 0; --i)
    sum += std::exp(logits[order[i]] - largest);
  const double norm = largest + std::log(sum);
  for (int64_t i = 0; i < run.topK; ++i) {
    tokens.push_back(order[i]);
    logProbabilities.push_back(static_cast<float>(logits[order[i]] - norm));
  }
  left.push_back(others / sum);
  next.push_back(static_cast<float>(logits[following] - norm));
}

std::string teacherHash(const std::vector<std::vector<int32_t>> &windows) {
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (const std::vector<int32_t> &window : windows)
    XXH3_128bits_update(state, window.data(), window.size() * sizeof(int32_t));
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

Status writeTeacherShard(const std::string &folder, const TeacherRun &run, int64_t shard, const TeacherShard &data) {
  SafetensorsWriter writer;
  writer.setMetadata(kFormat, kVersion);
  for (const Fact &fact : kFacts)
    writer.setMetadata(fact.key, valueOf(run, fact));
  Status status = Status::success();
  for (const Part &part : partsOf(run, run.windowsOf(shard)))
    if (status.ok())
      status = writer.declare(part.name, part.dtype, part.shape);
  if (status.ok())
    status = writer.begin(run.path(folder, shard));
  auto append = [&](const auto &values) {
    if (status.ok())
      status = writer.append(values.data(), values.size() * sizeof(values[0]));
  };
  append(data.ids);
  append(data.tokens);
  append(data.logProbabilities);
  append(data.left);
  append(data.next);
  return status.ok() ? writer.finish() : status;
}

Status checkTeacherShard(const std::string &path, const TeacherRun &run) {
  SafetensorsFile file;
  Status status = SafetensorsFile::open(path, file);
  return status.ok() ? checkSame(file, run) : status;
}

Status openTeacher(const std::string &folder, TeacherRun &out) {
  std::vector<std::string> found;
  std::error_code code;
  for (const auto &entry : std::filesystem::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("teacher-", 0) == 0 && entry.path().extension() == ".safetensors")
      found.push_back(entry.path().string());
  }
  if (code)
    return Status::error("cannot read teacher \"" + folder + "\": " + code.message());
  if (found.empty())
    return Status::error("teacher \"" + folder +
                         "\" holds no teacher-N-of-M.safetensors; xfmr-run --teacher writes them");
  std::sort(found.begin(), found.end());
  SafetensorsFile first;
  Status status = SafetensorsFile::open(found.front(), first);
  if (status.ok())
    status = readRun(first, out);
  if (status.failed())
    return status;
  for (const std::string &path : found)
    if (status = checkTeacherShard(path, out); status.failed())
      return status;
  const int64_t present = static_cast<int64_t>(found.size());
  if (present < out.shards())
    return Status::error("teacher \"" + folder + "\" holds " + std::to_string(present) + " of " +
                         std::to_string(out.shards()) + " shards; the same xfmr-run --teacher goes on");
  return Status::success();
}

Status readTeacherShard(const std::string &folder, const TeacherRun &run, int64_t shard, TeacherShard &out) {
  SafetensorsFile file;
  Status status = SafetensorsFile::open(run.path(folder, shard), file);
  if (status.ok())
    status = checkSame(file, run);
  const std::vector<Part> parts = partsOf(run, run.windowsOf(shard));
  if (status.ok())
    status = readPart(file, parts[0], out.ids);
  if (status.ok())
    status = readPart(file, parts[1], out.tokens);
  if (status.ok())
    status = readPart(file, parts[2], out.logProbabilities);
  if (status.ok())
    status = readPart(file, parts[3], out.left);
  if (status.ok())
    status = readPart(file, parts[4], out.next);
  if (status.failed())
    return status;
  const std::string place = "\"" + file.path() + "\": ";
  for (const std::vector<int32_t> *ids : {&out.ids, &out.tokens})
    for (int32_t id : *ids)
      if (id < 0 || id >= run.vocab)
        return Status::error(place + "token " + std::to_string(id) + " is outside of the vocabulary of " +
                             std::to_string(run.vocab));
  for (size_t position = 0; position < out.left.size(); ++position) {
    double sum = out.left[position];
    for (int64_t i = 0; i < run.topK; ++i)
      sum += std::exp(static_cast<double>(out.logProbabilities[position * run.topK + i]));
    // A log-probability of f32 is right to 2^-24 of its size, so its probability to that times at most 1/e.
    if (!(out.left[position] >= 0) || !(std::abs(sum - 1) < 1e-5))
      return Status::error(place + "probabilities of position " + std::to_string(position) + " sum to " +
                           std::to_string(sum) + ", expected 1");
  }
  return Status::success();
}

} // namespace xfmr
