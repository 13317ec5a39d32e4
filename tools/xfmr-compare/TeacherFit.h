// How far a model is from a teacher that told the K likeliest tokens of each position: sums over positions, as plain numbers, with
// what the untold part leaves open.
#pragma once
#include "runtime/artifact/Teacher.h"
#include <vector>

namespace xfmr::compare {

struct TeacherFit {
  int64_t tokens = 0;              // positions
  double klLeast = 0, klMost = 0;  // nats, sums of bounds of KL(teacher || B); equal where the teacher told all tokens
  double left = 0;                 // sum of the teacher's probability that it did not tell
  double nllTeacher = 0, nllB = 0; // nats, sums of -log p(target)
  int64_t sameTop1 = 0;            // positions whose likeliest token is the same, lowest id on a tie

  void add(const TeacherFit &other);
  /// Adds position `position` of a shard: logits of B [vocab], and the token that follows.
  ///
  /// Told tokens count exactly. The others have the mass m together under the teacher, and none more than the least told one, c. By the
  /// log-sum inequality they add at least m log(m / m_B). What they add, sum p log(p / q), is convex in p, so it is the most at a
  /// corner of {0 <= p <= c, sum p = m}: c on the tokens that B finds least probable, until m is used up. Both are attained, so
  /// no bounds from what was told are narrower.
  void add(const TeacherRun &run, const TeacherShard &shard, int64_t position, const double *logits, int32_t target);
};

} // namespace xfmr::compare
