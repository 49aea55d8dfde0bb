// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/peer_limits.h"

#include <utility>

namespace verifier {

SessionCounts::Admission SessionCounts::Enter(const std::string& source) {
  if (open_ >= most_) return Admission::kTooMany;
  const auto found = by_source_.find(source);
  if (found != by_source_.end() && found->second >= most_of_source_) {
    return Admission::kTooManyOfSource;
  }
  ++by_source_[source];
  ++open_;
  return Admission::kAdmitted;
}

void SessionCounts::Leave(const std::string& source) {
  const auto found = by_source_.find(source);
  if (found == by_source_.end()) return;
  if (--found->second == 0) by_source_.erase(found);
  --open_;
}

bool MinuteLimit::Allow(const std::string& source, Instant now) {
  if (now - start_ >= std::chrono::minutes(1)) {
    start_ = now;
    allowed_ = 0;
    by_source_.clear();
  }
  const auto found = by_source_.find(source);
  const size_t seen = found == by_source_.end() ? 0 : found->second;
  if (allowed_ >= in_all_ || seen >= per_source_) {
    ++dropped_;
    return false;
  }
  ++by_source_[source];
  ++allowed_;
  return true;
}

uint64_t MinuteLimit::TakeDropped() { return std::exchange(dropped_, 0); }

}  // namespace verifier
