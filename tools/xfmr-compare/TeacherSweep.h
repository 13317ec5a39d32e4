// Models beside a teacher's shards, each window once through each of them.
#pragma once
#include "runtime/artifact/Status.h"
#include <string>
#include <vector>

namespace xfmr::compare {

struct TeacherQuestion {
  std::string teacher, first; // folder of shards; the model that pipelines change
  const std::vector<std::string> &others, &pipelines, &sourceOptions;
  bool reference, json;
};

/// Compares all models with what the teacher said and prints figures of one, or a table of several; JSON likewise an object or a list.
/// Errors: those of the shards and models; another vocabulary, windows longer than a model's context.
Status besideTeacher(const TeacherQuestion &question);

} // namespace xfmr::compare
